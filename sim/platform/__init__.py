"""The office: the software platform and what it believes. It never sees the street."""
