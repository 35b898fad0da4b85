"""Policies of the family `locating`; see `sim.contracts` for what they see and decide."""
