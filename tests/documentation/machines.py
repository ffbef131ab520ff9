"""Machines for a page that needs several: namespaces of Linux on this one, joined by a switch, each with a shell.

A machine has a name that all others resolve, an address, processes, a home folder and a /tmp/ray of its own; it shares
the rest of the disk, the processor and the memory. When its shell ends, so does all that runs there. Needs root.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.documentation.reader import READY, Failed

PATIENCE = 900.0
"""Seconds after which a command has failed to end, or a server to get ready: engines start beside other tests."""
NETWORK = "10.77.0"
GATEWAY = 254
APART = ("setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--net")
"""What a switch has of its own; it sees the processes of the machines. It ends with whoever started it."""
WHOLE = (*APART, "--pid", "--mount", "--mount-proc", "--uts")


def can_be_made() -> bool:
    """Whether this system lets us make machines."""
    try:
        done = subprocess.run([*WHOLE, "ip", "link", "add", "type", "veth"], check=False, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


class Shell:
    """A bash that is told one line after the other. A context: leaving it ends bash."""

    def __init__(self, within: tuple[str, ...], folder: Path, variables: dict[str, str]) -> None:
        descriptor, name = tempfile.mkstemp(prefix="said-", dir=folder)
        self._log = Path(name)
        self._process = subprocess.Popen(
            [*within, "bash", "-o", "pipefail"],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        self._ends = itertools.count()
        self.type(":")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.kill(self.child, signal.SIGKILL)  # what started it then waits until all is gone that it had of its own
        self._process.communicate()

    def type(self, text: str) -> str:
        """What a command says. Raises Failed where it ends with another status than 0."""
        assert self._process.stdin is not None
        before, end = self._log.stat().st_size, f"<end {next(self._ends)}>"
        self._process.stdin.write(f"{{ {text}\n}} < /dev/null\nprintf '\\n{end} %s\\n' $?\n")
        self._process.stdin.flush()
        until = time.monotonic() + PATIENCE
        while not (ended := re.search(rf"\n{end} (\d+)\n", said := self._said(before))):
            if time.monotonic() > until or self._process.poll() is not None:
                raise Failed(f"`{text}` does not end:\n{said}")
            time.sleep(0.05)
        said = said[: ended.start()]
        if ended[1] != "0":
            raise Failed(f"`{text}` ends with status {ended[1]}:\n{said}")
        return said

    def _said(self, start: int) -> str:
        return self._log.read_bytes()[start:].decode(errors="replace")

    @property
    def child(self) -> int:
        """The process of bash, as this system counts."""
        (told,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(told)


class Machine(Shell):
    """Bash is its first process, and thereby the parent of all that is left behind."""

    def __init__(self, name: str, address: str, folder: Path, variables: dict[str, str]) -> None:
        self.name = name
        self.home = folder
        self.address = address
        self._servers = 0
        super().__init__(WHOLE, folder, variables | {"HOME": str(folder)})
        Path("/tmp/ray").mkdir(exist_ok=True)  # there to be covered
        self.type(
            f"set -m; hostname {name}; mkdir ray fresh; mount --bind ray /tmp/ray; mount --bind ../hosts /etc/hosts; "
            "mount --bind ../resolv.conf /etc/resolv.conf; ip link set lo up; cd fresh"
        )

    def serve(self, text: str) -> str:
        """Starts a server and waits for its ready line; what it says until then. Its job number follows the order."""
        self._servers += 1
        log = self.home / f"server-{self._servers}"
        log.touch()
        self.type(f"{text} > {log} 2>&1 &")
        until = time.monotonic() + PATIENCE
        while True:
            runs = f"%{self._servers}" in self.jobs()  # asked before it is read: what has ended has said all
            said = log.read_text(encoding="utf-8", errors="replace")
            if READY.search(said):
                return said
            if time.monotonic() > until or not runs:
                raise Failed(f"`{text}` does not get ready:\n{said}")
            time.sleep(0.2)

    def jobs(self) -> set[str]:
        """The servers that run, as `%1`."""
        return {f"%{number}" for number in re.findall(r"^\[(\d+)\]", self.type("jobs -r"), re.MULTILINE)}

    def interrupt(self, server: str) -> None:
        """Ctrl-C, and wait until it has ended."""
        self.type(f"kill -INT {server}")
        until = time.monotonic() + PATIENCE
        while server in self.jobs():
            if time.monotonic() > until:
                raise Failed(f"Ctrl-C does not end a server on {self.name}")
            time.sleep(0.2)

    def processes(self) -> dict[int, str]:
        """What runs here beside the shell, by process number."""
        listed = (line.split(maxsplit=1) for line in self.type("ps -eo pid=,args=").splitlines() if line.strip())
        return {int(pid): text for pid, text in listed if int(pid) != 1 and not text.startswith("ps -eo")}


class Network(ExitStack):
    """A context: a switch, and the machines that were added; leaving it ends them."""

    def __init__(self, folder: Path, names: tuple[str, ...], variables: dict[str, str]) -> None:
        """`names` are all that machines may have: the file of hosts is written once."""
        super().__init__()
        self._folder = folder
        self._variables = variables
        self._numbers = {name: number for number, name in enumerate(names, 1)}
        hosts = ["127.0.0.1 localhost", *(f"{NETWORK}.{number} {name}" for name, number in self._numbers.items())]
        (folder / "hosts").write_text("\n".join(hosts) + "\n", encoding="utf-8")
        # gRPC asks for more than addresses, and waits minutes for a server of names that does not even refuse.
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="utf-8")

    def __enter__(self) -> Self:
        super().__enter__()
        self._switch = self.enter_context(Shell(APART, self._folder, self._variables))
        self._switch.type(
            f"ip link add switch type bridge && ip addr add {NETWORK}.{GATEWAY}/24 dev switch && ip link set switch up"
        )
        return self

    def machine(self, name: str, **variables: str) -> Machine:
        """A machine with a fresh home, whose shell has these variables too."""
        number = self._numbers[name]
        folder = self._folder / name
        folder.mkdir()
        address = f"{NETWORK}.{number}"
        machine = self.enter_context(Machine(name, address, folder, self._variables | variables))
        self._switch.type(
            f"ip link add port{number} type veth peer name eth0 netns {machine.child} && "
            f"ip link set port{number} master switch up"
        )
        machine.type(
            f"ip addr add {address}/24 dev eth0 && ip link set eth0 up && ip route add default via {NETWORK}.{GATEWAY}"
        )
        return machine
