"""Policies of the family `slotting`; see `sim.contracts` for what they see and decide."""
