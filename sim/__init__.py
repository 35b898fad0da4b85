"""darkstore: quick commerce simulated event by event, goods and people and platform, on real roads.

From Python: `run` a scenario, `compare` ways to do a thing, `sweep` over values, `plan_sites` for the next store, and
`open_run` for what lies in a folder already. Each is imported when it is first asked for, so that ``import sim`` is instant.

Examples
--------
>>> import sim
>>> result = sim.run("small", seed=1, set={"drivers.count": 60})
>>> result.orders.delivered_s.max(), result.summary["on_time"], result.report()
"""

from typing import TYPE_CHECKING

from sim.compiled import install

install()

__version__ = "0.1.0"

_OFFERED = ("Comparison", "Run", "SitePlan", "Sweep", "compare", "open_run", "plan_sites", "run", "sweep")

__all__ = ["Comparison", "Run", "SitePlan", "Sweep", "__version__", "compare", "open_run", "plan_sites", "run", "sweep"]

if TYPE_CHECKING:
    from sim.api import Comparison, Run, SitePlan, Sweep, compare, open_run, plan_sites, run, sweep
else:

    def __getattr__(name):
        """Import what is offered when it is asked for."""
        if name not in _OFFERED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module("sim.api"), name)

    def __dir__():
        """What is there, with what is offered."""
        return sorted({*globals(), *_OFFERED})
