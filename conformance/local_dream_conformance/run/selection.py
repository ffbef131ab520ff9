"""What of a profile a run judges, and by whose word it is less than all.

A selection is the user's own where it stands on the command line. One that comes from PYTEST_ADDOPTS, from a
configuration file or from somebody's hook is none: what it leaves out is missing, and the run cannot be conformant.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from local_dream_conformance.core.contract import Contract, Requirement, of_profile
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run import command_line
from local_dream_conformance.run.suite import Suite

WORD = re.compile(r"[^\s()]+|[()]")
OPERATORS = ("and", "or", "not", "(", ")")
ID_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*-[0-9]{1,3}")
NEAR = 3


@dataclass(frozen=True)
class Selection:
    """What the command line itself asks for. `words` are the options that leave something out, "" where none does.

    `is_dry`: it asks for no run, but to see what one would be.
    """

    words: str = ""
    is_dry: bool = False


def own(config: pytest.Config) -> Selection:
    """The selection on the command line of a run, without what PYTEST_ADDOPTS and configuration files add."""
    given = command_line.own(config)
    words = [f"-k {given.keyword!r}"] * bool(given.keyword) + [f"-m {given.markexpr!r}"] * bool(given.markexpr)
    words += [f"--deselect {name}" for name in given.deselect or ()]
    words += [f"--ignore {name}" for name in (*(given.ignore or ()), *(given.ignore_glob or ()))]
    for option in ("lf", "stepwise"):
        words += [f"--{option}"] * bool(getattr(given, option, False))
    words += [str(path) for path in given.file_or_dir]
    return Selection(" ".join(words), bool(given.local_dream_plan))


def misnamed(expression: str, suite: Suite, settings: Settings) -> list[str]:
    """What is wrong with the ids that a -k EXPRESSION asks for and that are not judged under these settings, one line
    each with the fix."""
    contract = suite.contract
    judged = [r.id for r in contract.in_profile(settings.profile, settings.declared) if not r.unjudged]
    left_out = [r for r in contract.requirements if r.id not in judged and _matches(expression, r.id, suite.module(r))]
    lines: list[str] = []
    for word in dict.fromkeys(word for word in WORD.findall(expression) if word not in OPERATORS):
        found = [requirement for requirement in left_out if _is_in(word, requirement.id)]
        is_whole = [requirement for requirement in found if requirement.id.lower() == word.lower()]
        if is_whole or (found and not any(_is_in(word, id) for id in judged)):
            lines += _elsewhere(word, is_whole or found)
        elif not any(_is_in(word, id) for id in contract.by_id) and _matches(expression, word):
            lines += _unknown(word, contract)
    return lines


def _elsewhere(word: str, found: Sequence[Requirement]) -> Iterator[str]:
    """Where the requirements are that a word of the expression means."""
    by_fix: dict[str, list[str]] = {}
    for requirement in found:
        by_fix.setdefault(_where(requirement), []).append(requirement.id)
    for where, ids in by_fix.items():
        named = ids[0] if len(ids) == 1 else f"{word} ({ids[0]} to {ids[-1]})"
        yield f"-k: {named} {where}"


def _where(requirement: Requirement) -> str:
    if requirement.unjudged:
        return f"cannot be judged from outside: {requirement.unjudged}"
    if extension := of_profile(requirement.profile):
        return f"is of the extension {extension}: add --extension {extension}, or --profile all"
    return f"is in profile {requirement.profile}: add --profile {requirement.profile}"


def _unknown(word: str, contract: Contract) -> Iterator[str]:
    """What an id or a group could mean that the contract does not have. Nothing for other words, such as a check's name
    or its module's."""
    groups = sorted({id.rpartition("-")[0] for id in contract.by_id})
    if ID_LIKE.fullmatch(word):
        yield _unlike(word, "requirement", list(contract.by_id))
    elif "-" in word and word.partition("-")[0].upper() in {group.partition("-")[0] for group in groups}:
        yield _unlike(word, "group", groups)


def _unlike(word: str, kind: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.upper(), names, NEAR)
    hint = f"did you mean {' or '.join(near)}?" if near else "`local-dream spec --requirements` lists all"
    return f"-k: the contract has no {kind} {word}; {hint}"


def _is_in(word: str, name: str) -> bool:
    return word.lower() in name.lower()


def _matches(expression: str, *names: str) -> bool:
    """Whether pytest would select an item of these names. False for what is no expression, of which pytest tells."""
    words = (w if w in OPERATORS else str(any(_is_in(w, name) for name in names)) for w in WORD.findall(expression))
    try:
        return _truth(ast.parse(" ".join(words), mode="eval").body)
    except (SyntaxError, ValueError):
        return False


def _truth(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        truths = [_truth(value) for value in node.values]
        return all(truths) if isinstance(node.op, ast.And) else any(truths)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _truth(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return node.value
    raise ValueError("no expression of -k")
