"""The study, first part: from the archive of a run to tables and figures. Nothing here looks at anything but the archive."""

from sim.metrics.summary import Study, study

__all__ = ["Study", "study"]
