"""Collection: one pytest item per requirement, under the file of its check, without importing or asking anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.result.requirement_result import EXCUSED
from local_dream_conformance.run.suite import Suite


class RequirementFailed(Exception):
    """A requirement is judged broken; the message is the failure text."""


class Judges(Protocol):
    """What the items ask: the session of the run."""

    suite: Suite
    settings: Settings

    def judge(self, requirement: Requirement) -> tuple[Judgement, str]:
        """The verdict on a requirement, and its failure text where something is wrong."""

    def fails(self, judgement: Judgement) -> bool:
        """Whether the item of a requirement fails."""


class ChecksFolder(pytest.Directory):
    """The folder of the checks."""

    judges: Judges

    def collect(self) -> Iterable[pytest.Collector]:
        judges = self.judges
        groups = judges.suite.groups(judges.settings.profile, judges.settings.declared)
        for name, requirements in groups.items():
            # A short name, the same from every folder: pytest would name a group after the arguments, or not at all.
            group = Group.from_parent(self, path=self.path / name, nodeid=name)
            group.judges = judges
            group.requirements = requirements
            yield group


class Group(pytest.File):
    """One file of checks, with the requirements that it proves."""

    judges: Judges
    requirements: list[Requirement]

    def collect(self) -> Iterator[RequirementItem]:
        for requirement in self.requirements:
            item = RequirementItem.from_parent(self, name=requirement.id)
            item.judges = self.judges
            item.requirement = requirement
            item.user_properties += [
                ("id", requirement.id),
                ("level", str(requirement.level)),
                ("profile", requirement.profile),
            ]
            yield item


class RequirementItem(pytest.Item):
    """One requirement. Passes, fails, or is skipped with a reason (blocked, untested, not applicable)."""

    judges: Judges
    requirement: Requirement
    judgement: Judgement | None = None
    text: str = ""

    def runtest(self) -> None:
        judgement, self.text = self.judges.judge(self.requirement)
        self.judgement = judgement
        self.user_properties.append(("verdict", str(judgement.verdict)))
        if judgement.excused:
            self.user_properties.append((EXCUSED, "true"))
        if self.judges.fails(judgement):
            raise RequirementFailed(self.text)
        if judgement.verdict in (Verdict.NOT_APPLICABLE, Verdict.BLOCKED, Verdict.UNTESTED):
            word = EXCUSED if judgement.excused else judgement.verdict
            pytest.skip(f"{word}: {judgement.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, RequirementFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, self.name  # pytest wants a line of what somebody else skips
