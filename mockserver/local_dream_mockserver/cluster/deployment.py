"""Replicas as a Ray Serve application: started, restarted one after the other, ended."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local_dream_mockserver.cluster.replica import Replica
from local_dream_mockserver.server.engines import CannotLoad

DRAIN: Final = 3600.0
"""Seconds that a replica may go on with what it has begun when another one takes its place."""
QUESTIONS: Final = 64
"""Calls at a time that a replica answers; only one of them generates and only one upscales."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster, and what of it. `address` as `ray.init` takes it: None is $RAY_ADDRESS, else the one that runs on
    this machine, else one of our own. `replicas` None is one for each node. `name` tells apart the servers that share
    a cluster: a second one of the same name takes over from the first."""

    address: str | None = None
    replicas: int | None = None
    cpus: float = 1
    gpus: float = 0
    name: str = "local-dream"


class Deployment:
    """The replicas of one engine."""

    def __init__(self, cluster: Cluster, engine: str, options: Mapping[str, str]) -> None:
        """Waits until every replica is ready. Raises CannotLoad."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            remedy = "pip install 'local-dream-conformance[ray]'"
            raise CannotLoad(f"--ray needs Ray Serve, which is not installed: {remedy}") from error
        self._cluster = cluster
        try:
            ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except Exception as error:  # Ray's own, of many kinds
            raise CannotLoad(f"no Ray cluster at {cluster.address or 'this machine'}: {_line(error)}") from error
        self.replicas = cluster.replicas or sum(node["Alive"] for node in ray.nodes())
        self._ask_for_room()
        self._application = self._bound(engine, options)
        self.handle: Any = self._run()

    def restart(self) -> None:
        """Put a new replica in the place of each, one after the other; each old one first ends what it has begun."""
        self._run()

    def close(self) -> None:
        """Let the cluster end the replicas; does not wait for it."""
        from ray import serve

        serve.delete(self._cluster.name, _blocking=False)

    def _ask_for_room(self) -> None:
        """Raises CannotLoad where Ray would wait for ever."""
        import ray

        there = ray.cluster_resources()
        for kind, each in (("CPU", self._cluster.cpus), ("GPU", self._cluster.gpus)):
            if each * self.replicas > there.get(kind, 0):
                wanted = f"{self.replicas} x {each:g} {kind} do not fit on a cluster of {there.get(kind, 0):g}"
                raise CannotLoad(f"{wanted}: ask for fewer replicas, or add a node (ray start --address=...)")

    def _bound(self, engine: str, options: Mapping[str, str]) -> Any:
        from ray import serve

        deployment = serve.deployment(
            Replica,
            name="engine",
            num_replicas=self.replicas,
            max_ongoing_requests=QUESTIONS,
            graceful_shutdown_timeout_s=DRAIN,
            graceful_shutdown_wait_loop_s=0.1,
            health_check_period_s=2,
            ray_actor_options={"num_cpus": self._cluster.cpus, "num_gpus": self._cluster.gpus},
        )
        return deployment.bind(engine, dict(options))

    def _run(self) -> Any:
        from ray import serve

        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        try:
            serve.start(proxy_location="Disabled", logging_config={"log_level": "WARNING", "enable_access_log": False})
            return serve.run(self._application, name=self._cluster.name, route_prefix=None)
        except Exception as error:  # Ray's own, of many kinds
            serve.delete(self._cluster.name, _blocking=False)
            raise CannotLoad(f"the replicas do not start: {_line(error)}") from error


def _line(error: Exception) -> str:
    """The last line that says something: Ray's errors end with the one that caused them."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:300]
