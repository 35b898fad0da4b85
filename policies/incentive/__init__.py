"""Policies of the family `incentive`; see `sim.contracts` for what they see and decide."""
