"""From Python: what the command line does, with results as pandas tables. ``import sim`` offers everything here as well."""

from sim.api.comparing import Comparison, compare
from sim.api.planning import SitePlan, plan_sites
from sim.api.running import Run, open_run, run
from sim.api.sweeping import Sweep, sweep

__all__ = ["Comparison", "Run", "SitePlan", "Sweep", "compare", "open_run", "plan_sites", "run", "sweep"]
