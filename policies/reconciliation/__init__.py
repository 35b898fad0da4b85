"""Policies of the family `reconciliation`; see `sim.contracts` for what they see and decide."""
