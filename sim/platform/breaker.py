"""What keeps a failing callee from taking its callers down: circuit breaker, retry budget, bulkhead.

Source: Nygard, Release It! (2018); the breaker's parameters have the shape of resilience4j's, the budget is Finagle's.
None of them costs an event: time passes for a breaker when somebody asks it.
"""

from collections.abc import Callable

from sim.vocabulary import BreakerState as BreakerState

_CLOSED, _OPEN, _HALF_OPEN = BreakerState


class Breaker:
    """A circuit breaker over a sliding window of calls.

    Closed, it remembers the last `window` results and opens when at least `least` are known and `share` of them failed.
    Open, it refuses for `open_s`; then it is half-open and lets `trials` calls through: all succeed and it closes, one
    fails and it opens again. Trials whose results never came in `open_s` are given up and allowed afresh.

    Parameters
    ----------
    window, least, trials
        Calls.
    share
        Share of failures in the window that opens the breaker.
    open_s
        Seconds.
    enabled
        False: every call is allowed and nothing is remembered.

    Attributes
    ----------
    content
        Whether one more success changes nothing: every call is made, and all that are remembered succeeded.
    turn
        Grows with every move: the answer of a call that was made before the last one is of no interest any more.
    """

    __slots__ = (
        "_at", "_enabled", "_failures", "_least", "_listeners", "_open_s", "_ring", "_seen", "_share", "_since_s",
        "_successes", "_trials", "_tried", "content", "state", "turn",
    )  # fmt: skip

    def __init__(
        self,
        *,
        window: int = 20,
        least: int = 10,
        share: float = 0.5,
        open_s: float = 30.0,
        trials: int = 3,
        enabled: bool = True,
    ) -> None:
        self.state, self.turn = _CLOSED, 0
        self._enabled, self._share, self._open_s, self._trials = enabled, share, open_s, trials
        self._least = min(least, window)  # a window never holds more than itself
        self._ring = bytearray(window)
        self._at = self._seen = self._failures = 0
        self._since_s = 0.0
        self._tried = self._successes = 0
        self.content = not enabled
        self._listeners: list[Callable[[BreakerState], None]] = []

    def on_move(self, listener: Callable[[BreakerState], None]) -> None:
        """Call `listener` with every new state."""
        self._listeners.append(listener)

    def _move(self, state: BreakerState, now_s: float) -> None:
        self.state, self._since_s, self.content = state, now_s, False
        self.turn += 1
        if state is _CLOSED:
            self._ring = bytearray(len(self._ring))
            self._at = self._seen = self._failures = 0
        elif state is _HALF_OPEN:
            self._tried = self._successes = 0
        for listener in self._listeners:
            listener(state)

    def allow(self, now_s: float) -> bool:
        """Whether a call may be made now; one that is made must be answered with `ok` or `fail`."""
        if self.state is _CLOSED:
            return True
        if self.state is _OPEN:
            if now_s < self._since_s + self._open_s:
                return False
            self._move(_HALF_OPEN, now_s)
        if self._tried >= self._trials:
            if now_s < self._since_s + self._open_s:
                return False
            self._since_s, self._tried, self._successes = now_s, 0, 0
        self._tried += 1
        return True

    def ok(self, now_s: float) -> None:
        """A call succeeded."""
        if self.state is _CLOSED:
            if not self.content:
                self._record(0, now_s)
        elif self.state is _HALF_OPEN:
            self._successes += 1
            if self._successes >= self._trials:
                self._move(_CLOSED, now_s)

    def fail(self, now_s: float) -> None:
        """A call failed or timed out."""
        if self.state is _CLOSED:
            if self._enabled:
                self._record(1, now_s)
        elif self.state is _HALF_OPEN:
            self._move(_OPEN, now_s)
        # Open: the answer of a call that was under way when the breaker opened says nothing new.

    def _record(self, failed: int, now_s: float) -> None:
        ring, at = self._ring, self._at
        if self._seen < len(ring):
            self._seen += 1
        if (
            failed or self._failures
        ):  # else the ring holds no failure, and it does not matter where the next result goes
            self._failures += failed - ring[at]
            ring[at] = failed
            self._at = at + 1 if at + 1 < len(ring) else 0
        self.content = not self._failures and self._seen == len(ring)
        # A success may be the call with which enough are known to judge.
        if self._failures and self._seen >= self._least and self._failures >= self._share * self._seen:
            self._move(_OPEN, now_s)


class RetryBudget:
    """A token bucket that lets retries be only a share of the calls (Finagle's RetryBudget).

    Each first call earns `ratio` tokens up to `most`, each retry spends one; the bucket starts full. So in any run of
    calls there are at most ``most + ratio x first calls`` retries.

    Attributes
    ----------
    full
        Whether one more first call earns nothing.
    """

    __slots__ = ("_enabled", "_most", "_ratio", "_tokens", "full", "refused")

    def __init__(self, ratio: float = 0.2, most: float = 10.0, *, enabled: bool = True) -> None:
        self._ratio, self._most, self._enabled = ratio, most, enabled
        self._tokens, self.full = most, True
        self.refused = 0

    def first(self) -> None:
        """A call is made for the first time."""
        self._tokens = min(self._tokens + self._ratio, self._most)
        self.full = self._tokens == self._most

    def retry(self) -> bool:
        """Whether a call may be repeated; spends a token when it may."""
        if not self._enabled:
            return True
        if self._tokens < 1.0 - 1e-9:  # five fifths may sum to a hair below one
            self.refused += 1
            return False
        self._tokens -= 1.0
        self.full = False
        return True


class Pool:
    """Connections of a caller: at most `most` calls at a time, to whomever; `inside` are under way."""

    __slots__ = ("inside", "most")

    def __init__(self, most: int) -> None:
        self.most, self.inside = most, 0


class Bulkhead:
    """At most `most` calls to one callee at a time, so that a slow callee cannot take all of the caller's workers.

    Each takes a connection from the caller's `pool`, which other callees' bulkheads may share.
    """

    __slots__ = ("_enabled", "inside", "most", "pool", "refused")

    def __init__(self, most: int, pool: Pool, *, enabled: bool = True) -> None:
        self.most, self.pool, self._enabled = most, pool, enabled
        self.inside = 0
        self.refused = 0

    def enter(self) -> bool:
        """Whether a call may begin; one that may must `leave` in the end."""
        pool = self.pool
        if pool.inside >= pool.most or (self.inside >= self.most and self._enabled):
            self.refused += 1
            return False
        self.inside += 1
        pool.inside += 1
        return True

    def leave(self) -> None:
        """A call ended.

        Raises
        ------
        RuntimeError
            Nobody is inside: a call left twice.
        """
        if self.inside <= 0:
            raise RuntimeError("Expected a call that entered, got one more leave than enter.")
        self.inside -= 1
        self.pool.inside -= 1
