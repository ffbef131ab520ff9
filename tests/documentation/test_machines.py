"""The machines of a page: apart in what they have of their own, told of what fails, and gone with their network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.machines import Network, can_be_made
from tests.documentation.reader import Failed

SERVER = "python3 -c 'import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8081)'"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    if not can_be_made():
        pytest.skip("makes machines of network namespaces, which needs root")
    with Network(tmp_path, ("front", "node1"), dict(os.environ)) as network:
        yield network


def test_each_has_a_name_a_home_and_processes_of_its_own(network: Network) -> None:
    front, node = network.machine("front"), network.machine("node1", COLOUR="blue")
    assert node.type("hostname; echo $HOME $COLOUR").split() == ["node1", str(node.home), "blue"]
    front.type("sleep 1000 &")
    assert [*front.processes().values()] == ["sleep 1000"]
    assert not node.processes()


def test_one_reaches_another_by_its_name_and_ports_are_its_own(network: Network) -> None:
    front, node = network.machine("front"), network.machine("node1")
    for machine in (front, node):
        machine.type(f"hostname > name; {SERVER} > log 2>&1 &")
        machine.type("until curl -s --noproxy '*' http://127.0.0.1:8081/ > /dev/null; do sleep 0.1; done")
    for machine in (front, node):
        assert machine.type("curl -sS --noproxy '*' http://front:8081/name http://node1:8081/name").split() == [
            "front",
            "node1",
        ]


@pytest.mark.parametrize("text", ["false", "false | cat", "no-such-program", "exit 0"])
def test_a_command_that_fails_is_told(network: Network, text: str) -> None:
    with pytest.raises(Failed):
        network.machine("front").type(text)


def test_a_shell_keeps_what_it_was_told(network: Network) -> None:
    front = network.machine("front")
    front.type("export COLOUR=red   # and a comment")
    assert front.type("cat; echo $COLOUR").split() == ["red"]


def test_a_server_that_does_not_get_ready_is_told(network: Network) -> None:
    with pytest.raises(Failed, match="broken"):
        network.machine("front").serve("echo broken")


def test_a_server_is_one_of_the_jobs_until_it_is_interrupted(network: Network) -> None:
    front = network.machine("front")
    said = front.serve("""python3 -uc 'import time; print("ready http://127.0.0.1:8081 it"); time.sleep(1000)'""")
    assert said == "ready http://127.0.0.1:8081 it\n"
    assert front.jobs() == {"%1"}
    front.interrupt("%1")
    assert not front.processes()


def test_nothing_outlives_the_network(tmp_path: Path) -> None:
    if not can_be_made():
        pytest.skip("makes machines of network namespaces, which needs root")
    with Network(tmp_path, ("front",), dict(os.environ)) as network:
        front = network.machine("front")
        front.type("setsid sleep 1000 &")
        process = front.child
        assert Path(f"/proc/{process}").exists()
    assert not Path(f"/proc/{process}").exists()
