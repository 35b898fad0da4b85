"""Utilisation as monitoring and autoscaling read it off a service's running totals."""


class Meter:
    """Utilisation between two readings; work that came and did not fit is still to be done in the next."""

    def __init__(self) -> None:
        self._work_s = self._room_s = self._carried_s = 0.0

    def read(self, work_s: float, room_s: float) -> float:
        """Share of server time that was busy, given running totals of work taken and server time, seconds."""
        due_s, span_s = self._carried_s + work_s - self._work_s, room_s - self._room_s
        self._work_s, self._room_s = work_s, room_s
        if due_s > span_s:
            self._carried_s = due_s - span_s
            return 1.0 if span_s > 0.0 else 0.0
        self._carried_s = 0.0
        return due_s / span_s if span_s > 0.0 else 0.0
