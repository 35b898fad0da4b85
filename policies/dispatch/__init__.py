"""Policies of the family `dispatch`; see `sim.contracts` for what they see and decide."""
