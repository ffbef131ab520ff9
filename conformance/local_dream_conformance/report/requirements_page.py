"""docs/requirements.md, derived from the spec: `local-dream spec --page` writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from local_dream_conformance.core.contract import Contract, Level, Requirement
from local_dream_conformance.result.requirement_result import quoted


def page(loaded: Contract) -> str:
    """The page as Markdown."""
    return "\n".join(_lines(loaded)) + "\n"


def _lines(loaded: Contract) -> Iterator[str]:
    requirements = loaded.requirements
    yield "# Requirements"
    yield ""
    yield "<!-- Made from spec/openapi.yaml by `local-dream spec --page`: edit the spec, not this. -->"
    yield ""
    yield (
        f"Contract {loaded.version}: {len(requirements)} requirements. MUST, SHOULD and MAY are those of RFC 2119. The "
        "suite judges each under its id (`pytest --target URL -k GEN-SSE-07`), except those marked as not judged."
    )
    yield ""
    yield "| profile | MUST | SHOULD | MAY |"
    yield "|---|---|---|---|"
    counts = Counter((requirement.profile, requirement.level) for requirement in requirements)
    for profile in dict.fromkeys(requirement.profile for requirement in requirements):
        yield f"| {profile} | " + " | ".join(str(counts[profile, level]) for level in Level) + " |"
    for group in dict.fromkeys(requirement.group for requirement in requirements):
        members = [requirement for requirement in requirements if requirement.group == group]
        yield ""
        yield f"## {group}"
        yield ""
        yield "| id | level | profile | source | requirement |"
        yield "|---|---|---|---|---|"
        for member in members:
            yield f"| {member.id} | {member.level} | {member.profile} | {member.source} | {_sentence(member)} |"


def _sentence(requirement: Requirement) -> str:
    parts = [_cell(requirement.text)]
    if requirement.clause:
        parts.append(f"<br>Seed: {_cell(quoted(requirement.clause, requirement.translation))}")
    if requirement.unjudged:
        parts.append(f"<br>Not judged: {_cell(requirement.unjudged)}")
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
