"""The street: everything that is given before the clock starts."""
