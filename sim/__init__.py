"""darkstore: quick commerce simulated event by event, goods and people and platform, on real roads."""

__version__ = "0.1.0"
