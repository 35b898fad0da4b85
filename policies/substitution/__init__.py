"""Policies of the family `substitution`; see `sim.contracts` for what they see and decide."""
