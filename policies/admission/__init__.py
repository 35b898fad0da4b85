"""Policies of the family `admission`; see `sim.contracts` for what they see and decide."""
