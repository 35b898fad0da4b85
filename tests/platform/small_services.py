"""Services of a few instances, alone or in a cluster, and the luck of their calls."""

from collections.abc import Callable
from typing import Any

from sim.clock import Clock
from sim.platform.cluster import Cluster
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, Services, ServiceSpec
from sim.streams import Die
from sim.vocabulary import Svc

DIE = Die(42)
STILL = Autoscale(enabled=False)


def a_service(
    instances: int = 3, workers: int = 2, work_s: float = 0.01, autoscale: Autoscale = STILL, **health: Any
) -> Service:
    return Service(
        ServiceSpec(instances=instances, workers=workers, work_s=work_s, timeout_s=1e6), autoscale, Health(**health)
    )


def luck(n: int) -> float:
    return DIE.uniform(n)


def a_cluster(load: Callable[[float], float], autoscale: Autoscale, **keys: Any) -> tuple[Clock, Cluster]:
    """All services with the same spec and load."""
    env = Clock()
    spec = {"instances": 3, "workers": 4, "work_s": 0.01, **keys}
    specs = Services.model_validate({svc.name.lower(): spec for svc in Svc})
    cluster = Cluster(env, specs, autoscale, Health(), peak_loads=[0.0] * 8, load=lambda now_s: [load(now_s)] * 8)
    cluster.start()
    return env, cluster
