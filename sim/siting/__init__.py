"""Where stores should be: location problems on matrices of costs, solved by search and held against proven bounds.

Pure functions on numpy arrays; nothing here knows of a simulation. Sites are found by fast interchange and variable
neighbourhood search (`interchange`), the bound comes from Lagrangian relaxation (`bound`), and what lies between the two is
settled by branching (`branch`) and, where that takes too long, by HiGHS (`exact`).
"""

from sim.siting.problem import Effort, Sites
from sim.siting.solving import fixed_charge, maximal_covering, p_median

__all__ = ["Effort", "Sites", "fixed_charge", "maximal_covering", "p_median"]
