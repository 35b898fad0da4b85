"""The archive: the event log, append-only and omniscient."""

from sim.recording.archive import (
    SUMMARY,
    Archive,
    MemoryArchive,
    NoArchive,
    ParquetArchive,
    ParquetWriter,
    digest_of,
)
from sim.recording.log import Log, Sink
from sim.recording.sold import committed, sold_by_day
from sim.recording.state import State, replay

__all__ = [
    "SUMMARY", "Archive", "Log", "MemoryArchive", "NoArchive", "ParquetArchive", "ParquetWriter", "Sink", "State", "committed",
    "digest_of", "replay", "sold_by_day",
]  # fmt: skip
