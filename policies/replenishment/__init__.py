"""Policies of the family `replenishment`; see `sim.contracts` for what they see and decide."""
