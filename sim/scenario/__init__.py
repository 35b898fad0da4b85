"""The scenario: one frozen, validated tree that says everything about a run but its seed of chance."""

from sim.scenario.loading import fingerprint, load, load_text
from sim.scenario.tree import Scenario

__all__ = ["Scenario", "fingerprint", "load", "load_text"]
