"""docs/cluster.md: its commands, in order, on several machines, until replicas on each of them make pictures.

The commands are those of the page, as they stand there. What is not as it is for a reader:

- The machines are namespaces of this one (machines.py). Ray is told that each has eight processors, and `gpus` four
  graphics cards, by the variable by which its own tools override what they find. So Ray places replicas as it does on
  such machines, and the engines compute on the processor that there is, those of `gpus` too.
- The machines share the cache of converted networks: the first one fills it.
- Replicas have their share beside other tests, by the variable that the page names for that.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documentation.blocks import ROOT, Command, blocks
from tests.documentation.environment import Environment
from tests.documentation.machines import PATIENCE, Machine, Network, can_be_made
from tests.documentation.reader import SERVER, Failed, Reader, unseen
from tests.mockserver.live_server import events_of

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
    pytest.mark.skipif(find_spec("torch") is None, reason="the extra reference is not installed"),
    pytest.mark.timeout(5000),
]

PAGE = "docs/cluster.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
COMMANDS = [command for block in blocks(PAGE, TEXT) for command in block.commands()]
MEMBERS = ("front", "node1", "node2", "gpus")
"""The machines of the cluster, by the prompts of the page."""
ALONE, CLIENT = "alone", "client"
"""The machine of prompts without a name, and one outside of the cluster, which asks for pictures."""
RESOURCES = {"CPU": 8, "object_store_memory": 100 * 2**20}
AGAIN = 20
"""Times that `ray start` is typed: Ray ends a node whose agents are not up within seconds, as beside other tests."""
ASKED = {"prompt": "a fox in the snow", "steps": 2, "width": 64, "height": 64, "seed": 1}


@pytest.fixture(scope="module")
def network(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    if not can_be_made():
        pytest.skip("makes machines of network namespaces, which needs root")
    folder = tmp_path_factory.mktemp("network")
    variables = environment.variables | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "NO_COLOR": "1",
    }
    with Network(folder, (*MEMBERS, ALONE, CLIENT), variables) as network:
        yield network


@pytest.fixture(scope="module", autouse=True)
def _installed(environment: Environment, the_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the page says to install, for all machines: they share the disk."""
    with Reader(tmp_path_factory.mktemp("install"), environment.variables, the_clone) as reader:
        for command in typed_at(""):
            if command.text.startswith("pip install"):
                reader.type(command)


def machine_of(network: Network, name: str) -> Machine:
    resources = RESOURCES | ({"GPU": 4} if name == "gpus" else {})
    return network.machine(name, RAY_OVERRIDE_RESOURCES=json.dumps(resources))


def typed_at(*machines: str) -> list[Command]:
    """The commands of the page at these machines."""
    return [command for command in COMMANDS if command.machine in machines]


def comment(command: Command) -> str:
    return command.text.partition(" #")[2]


def serve(machine: Machine, command: Command) -> str:
    """What a server says until it is ready, which must be what the page shows."""
    said = machine.serve(command.text.partition(" #")[0].rstrip())
    assert not unseen(command.output, said), said
    return said


def picture(client: Machine, url: str) -> bytes:
    """The pixels that a request over HTTP comes to."""
    said = client.type(f"curl -sS --fail-with-body -d '{json.dumps(ASKED)}' {url}/generate")
    last = events_of(said)[-1]
    assert last["type"] == "complete", said[-1000:]
    pixels = base64.b64decode(last["image"])
    assert len(pixels) == 64 * 64 * 3
    return pixels


def replicas(machine: Machine, name: str = "local-dream") -> set[int]:
    """The processes of the replicas of a server on a machine."""
    return {pid for pid, text in machine.processes().items() if text.startswith(f"ray::ServeReplica:{name}:")}


def test_replicas_on_one_machine(network: Network) -> None:
    machine = machine_of(network, ALONE)
    servers = [command for command in typed_at("") if SERVER.match(command.text)]
    assert len(servers) == 2
    for number, command in enumerate(servers, 1):
        said = serve(machine, command)
        assert "ready http://127.0.0.1:8081 local-dream-reference 2 x cpu" in said
        assert len(replicas(machine)) == 2
        picture(machine, "http://127.0.0.1:8081")
        machine.interrupt(f"%{number}")
        gone(machine)


def test_machines_become_a_cluster_and_serve(network: Network) -> None:
    members = {name: machine_of(network, name) for name in MEMBERS}
    client = network.machine(CLIENT)
    commands = typed_at(*MEMBERS)
    served = 0
    for command in commands[:-1]:
        machine = members[command.machine]
        if SERVER.match(command.text):
            said, served = serve(machine, command), served + 1
            assert f"local-dream-reference {3 if served == 1 else 4} x cpu" in said
        elif command.text.startswith("ray start"):
            start(machine, command)
        else:
            everywhere = members.values() if "on every machine" in comment(command) else [machine]
            for one in everywhere:
                one.type(command.text)
        if "every machine needs the same file" in comment(command):
            needed = next(later for later in commands if later.text.startswith("ray start --address"))
            with pytest.raises(Failed, match="no authentication token was found"):
                members[needed.machine].type(needed.text)
            spread_token(members)
    assert served == 2

    nodes = [members[name] for name in MEMBERS if name != "gpus"]
    assert [len(replicas(node)) for node in nodes] == [1, 1, 1]
    assert len(replicas(members["gpus"], "gpus")) == 4
    first = picture(client, "http://front:8081")
    assert picture(members["front"], "http://127.0.0.1:8082")
    restart(members["front"], nodes, client, first)
    stop(members, commands[-1])


def start(machine: Machine, command: Command) -> None:
    """Types `ray start` until it goes well."""
    for _ in range(AGAIN):
        try:
            machine.type(command.text)
        except Failed:
            machine.type("ray stop --force")
        else:
            return
    machine.type(command.text)


def spread_token(members: dict[str, Machine]) -> None:
    """Copies the file of the front to the others, as the page's comment says."""
    token = Path(".ray") / "auth_token"
    for machine in members.values():
        if machine.name != "front":
            (machine.home / token).parent.mkdir()
            (machine.home / token).write_bytes((members["front"].home / token).read_bytes())


def restart(front: Machine, nodes: list[Machine], client: Machine, first: bytes) -> None:
    """A rolling restart: each replica becomes another, and the requests meanwhile come to the same picture."""
    assert "`kill -HUP` the front" in TEXT
    before = [replicas(node) for node in nodes]
    front.type("kill -HUP %1")
    until = time.monotonic() + PATIENCE
    while not all(now and not now & old for now, old in zip(map(replicas, nodes), before, strict=True)):
        assert time.monotonic() < until, "the replicas are not replaced"
        assert picture(client, "http://front:8081") == first
    assert picture(client, "http://front:8081") == first


def stop(members: dict[str, Machine], command: Command) -> None:
    """Ctrl-C for both fronts, which ends the replicas; then the last command of the page, which ends the cluster."""
    front = members["front"]
    for server in sorted(front.jobs()):
        front.interrupt(server)
    until = time.monotonic() + PATIENCE
    while any(replicas(one) | replicas(one, "gpus") for one in members.values()):
        assert time.monotonic() < until, "replicas outlive their front"
        time.sleep(0.2)
    assert command.text.startswith("ray stop")
    assert "on every machine" in comment(command)
    for machine in reversed(members.values()):
        machine.type(command.text)
        gone(machine)


def gone(machine: Machine) -> None:
    """Waits until nothing runs on a machine any more."""
    until = time.monotonic() + PATIENCE
    while left := machine.processes():
        assert time.monotonic() < until, left
        time.sleep(0.2)
