"""Policies of the family `fraud`; see `sim.contracts` for what they see and decide."""
