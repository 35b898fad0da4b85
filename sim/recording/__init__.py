"""The archive: the event log, append-only and omniscient."""

from sim.recording.archive import Archive, MemoryArchive, ParquetArchive, digest_of
from sim.recording.log import Log, Sink

__all__ = ["Archive", "Log", "MemoryArchive", "ParquetArchive", "Sink", "digest_of"]
