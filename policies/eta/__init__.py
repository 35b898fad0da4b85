"""Policies of the family `eta`; see `sim.contracts` for what they see and decide."""
