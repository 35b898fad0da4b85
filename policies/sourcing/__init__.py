"""Policies of the family `sourcing`; see `sim.contracts` for what they see and decide."""
