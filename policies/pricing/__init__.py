"""Policies of the family `pricing`; see `sim.contracts` for what they see and decide."""
