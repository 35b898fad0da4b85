"""The replay of a run, ``replay.html``: the map in motion, truth beside belief."""

from sim.report.replay.page import REPLAY, write_replay

__all__ = ["REPLAY", "write_replay"]
