"""The archive: the event log, append-only and omniscient."""

from sim.recording.archive import Archive, MemoryArchive, NoArchive, ParquetArchive, ParquetWriter, digest_of
from sim.recording.log import Log, Sink
from sim.recording.state import State, replay

__all__ = [
    "Archive", "Log", "MemoryArchive", "NoArchive", "ParquetArchive", "ParquetWriter", "Sink", "State", "digest_of", "replay",
]  # fmt: skip
