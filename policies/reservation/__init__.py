"""Policies of the family `reservation`; see `sim.contracts` for what they see and decide."""
