"""The options of a server whose engine works on a cluster."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click

from local_dream_mockserver.cluster.deployment import Cluster, Deployment
from local_dream_mockserver.server.engine import Engine

DEFAULTS = Cluster()

OPTIONS = (
    click.option("--ray", is_flag=True, help="Let replicas of the engine do the work, on the nodes of a Ray cluster."),
    click.option(
        "--ray-address",
        metavar="HOST:PORT",
        help="The cluster. Left out: $RAY_ADDRESS, else the one that runs on this machine, else one of its own.",
    ),
    click.option(
        "--ray-name",
        default=DEFAULTS.name,
        show_default=True,
        help="Tells apart servers on one cluster; a second one of a name takes over from the first.",
    ),
    click.option("--replicas", type=click.IntRange(1), help="How many engines. Left out: one for each node."),
    click.option(
        "--replica-cpus",
        default=DEFAULTS.cpus,
        show_default=True,
        type=click.FloatRange(0),
        help="CPU cores of each replica, and its threads.",
    ),
    click.option(
        "--replica-gpus",
        default=DEFAULTS.gpus,
        show_default=True,
        type=click.FloatRange(0),
        help="GPUs of each replica; 0.5 puts two on one.",
    ),
)


def cluster_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all of them, as one argument `cluster`: a Cluster, or None without --ray."""

    @wraps(command)
    def chosen(
        ray: bool,
        ray_address: str | None,
        ray_name: str,
        replicas: int | None,
        replica_cpus: float,
        replica_gpus: float,
        **others: Any,
    ) -> None:
        cluster = Cluster(ray_address, replicas, replica_cpus, replica_gpus, ray_name)
        if not ray and cluster != DEFAULTS:
            raise click.UsageError("--ray-address, --ray-name, --replicas, --replica-cpus, --replica-gpus need --ray")
        command(cluster=cluster if ray else None, **others)

    for option in reversed(OPTIONS):
        chosen = option(chosen)
    return chosen


def replicated(cluster: Cluster, name: str, options: Mapping[str, str]) -> Engine:
    """The engine `name`, as many times as the cluster is to have it. SIGHUP restarts the replicas one after the other.

    Raises CannotLoad.
    """
    deployment = Deployment(cluster, name, options)
    from local_dream_mockserver.cluster.ray_engine import engine_of  # needs Ray, which is there now

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=deployment.restart, daemon=True).start())
    return engine_of(deployment.handle, deployment.replicas, deployment.close)
