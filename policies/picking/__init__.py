"""Policies of the family `picking`; see `sim.contracts` for what they see and decide."""
