"""The menu: one folder per family of decisions, one file per policy. Registered as entry points, like anybody's plug-in."""
