"""Collection: one pytest item per requirement, under the file of its check, without importing or asking anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.contract import Requirement
from conformance.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from conformance.conductor import Conductor


class Broken(Exception):
    """A requirement is judged broken; the message is the failure text."""


class ChecksFolder(pytest.Directory):
    """The folder of the checks."""

    conductor: Conductor

    def collect(self) -> Iterable[pytest.Collector]:
        conductor = self.conductor
        # Outside the root directory pytest would name a group after the arguments, and one given by path not at all.
        inside = self.path.is_relative_to(self.config.rootpath)
        groups = conductor.suite.groups(conductor.settings.profile, conductor.settings.declared)
        for name, requirements in groups.items():
            named: dict[str, Any] = {} if inside else {"nodeid": name}
            group = Group.from_parent(self, path=self.path / name, **named)
            group.conductor = conductor
            group.requirements = requirements
            yield group


class Group(pytest.File):
    """One file of checks, with the requirements that it proves."""

    conductor: Conductor
    requirements: list[Requirement]

    def collect(self) -> Iterator[RequirementItem]:
        for requirement in self.requirements:
            item = RequirementItem.from_parent(self, name=requirement.id)
            item.conductor = self.conductor
            item.requirement = requirement
            item.user_properties += [
                ("id", requirement.id),
                ("level", str(requirement.level)),
                ("profile", requirement.profile),
            ]
            yield item


class RequirementItem(pytest.Item):
    """One requirement. Passes, fails, or is skipped with a reason (blocked, untested, not applicable)."""

    conductor: Conductor
    requirement: Requirement
    judgement: Judgement | None = None
    text: str = ""

    def runtest(self) -> None:
        judgement, self.text = self.conductor.judge(self.requirement)
        self.judgement = judgement
        self.user_properties.append(("verdict", str(judgement.verdict)))
        if self.conductor.fails(judgement):
            raise Broken(self.text)
        if judgement.verdict in (Verdict.NOT_APPLICABLE, Verdict.BLOCKED, Verdict.UNTESTED):
            pytest.skip(f"{judgement.verdict}: {judgement.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
