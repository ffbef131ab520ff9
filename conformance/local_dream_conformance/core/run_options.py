"""Options of a run that are no settings of the target: what else the run writes, reads or leaves out.

They are given on the command line only. The plugin adds them to pytest; `local-dream check --help` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunOption:
    """`--name METAVAR`, or a switch where there is no metavar."""

    name: str
    help: str
    metavar: str = ""
    many: bool = False
    absent: bool = False
    """What a switch is where it is not given."""

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def dest(self) -> str:
        return "local_dream_" + self.name.replace("-", "_")


TARGET = RunOption(
    "target",
    "judge the server at this address, such as http://127.0.0.1:8081; or 'mock' to start our own and judge it",
    "URL",
)
RUN_OPTIONS = (
    RunOption("plan", "print what would be asked of the server and what it costs, and stop without a call"),
    RunOption("json-report", "write the whole result as JSON, for scripts", "PATH"),
    RunOption("html-report", "write the whole result as one HTML file, for people: pictures, timed events", "PATH"),
    RunOption("markdown-report", "write the result as Markdown; in a GitHub job its summary has it anyway", "PATH"),
    RunOption("badge", "write a badge: PATH.svg a picture, PATH.json for shields.io; repeat for both", "PATH", True),
    RunOption("record", "keep everything that was sent and received in this folder, without tokens", "DIR"),
    RunOption("redact-prompts", "leave the prompts out of what --record keeps"),
    RunOption("replay", "judge a recording again, in place of a server and without a network", "DIR"),
    RunOption("write-waivers", "draft a file of waivers for what is broken", "FILE"),
)
