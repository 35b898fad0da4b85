"""Policies of the family `saga`; see `sim.contracts` for what they see and decide."""
