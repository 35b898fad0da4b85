"""A run as its readers see it: its files, its tables, the rides of its drivers and the stages of its orders."""
