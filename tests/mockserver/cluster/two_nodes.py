"""A Ray cluster of two nodes with one CPU each on this machine: prints its address, then does what its input says.

`remove` kills the second node as if its plug had been pulled, `add` adds one; each is answered with a line. The end of
the input ends the cluster.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ray.cluster_utils import Cluster

T = TypeVar("T")
ROOM = {"num_cpus": 1, "object_store_memory": 100 * 2**20}


AGAIN = 20


def started(start: Callable[[], T]) -> T:
    """A node that has started: Ray ends one whose agents are not up within seconds, as on a machine that is busy."""
    for _ in range(AGAIN):
        with suppress(Exception):  # a plain one, which says "timed out during startup"
            return start()
    return start()


def main() -> None:
    cluster: Any = started(lambda: Cluster(initialize_head=True, head_node_args=ROOM))
    second = started(lambda: cluster.add_node(**ROOM))
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    for order in sys.stdin:
        if order.strip() == "remove":
            cluster.remove_node(second, allow_graceful=False)
        else:
            second = started(lambda: cluster.add_node(**ROOM))
        sys.stdout.write("done\n")
        sys.stdout.flush()
    cluster.shutdown()


if __name__ == "__main__":
    main()
