"""Policies of the family `positioning`; see `sim.contracts` for what they see and decide."""
