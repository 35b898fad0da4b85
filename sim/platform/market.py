"""Prices and pay that follow the load: what their policies see."""

from sim.clock import Clock
from sim.contracts import Eta, Incentive, Pricing
from sim.platform.offers import Offers
from sim.platform.orders import OrderBook
from sim.platform.tracking import Tracking
from sim.ports import Figures

_MINUTE_S = 60.0


class LiveLoadView:
    """See `sim.contracts.LoadView`."""

    def __init__(self, env: Clock, book: OrderBook, tracking: Tracking, figures: Figures) -> None:
        self._env, self._book, self._tracking, self._traffic = env, book, tracking, figures.traffic
        self.offers: Offers | None = None

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    @property
    def open_orders(self) -> int:
        """Orders that entered and have not ended."""
        return len(self._book.open)

    @property
    def waiting(self) -> int:
        """Orders without a driver."""
        return 0 if self.offers is None else len(self.offers.waiting)

    @property
    def drivers_on(self) -> int:
        """Drivers on shift."""
        return self._tracking.on_shift

    @property
    def drivers_idle(self) -> int:
        """Drivers without work."""
        return self._tracking.idle_count

    def expected_orders(self, within_s: float) -> float:
        """Orders expected within so many seconds: the day's rate, minute by minute."""
        minutes, rest_s = divmod(within_s, _MINUTE_S)
        whole = sum(self._traffic(self._env.now + i * _MINUTE_S) for i in range(int(minutes))) * _MINUTE_S
        return whole + self._traffic(self._env.now + minutes * _MINUTE_S) * rest_s


def asks(policy: Pricing | Incentive | Eta) -> bool:
    """Whether a policy may ever ask for anything."""
    return not getattr(policy, "nothing", False)
