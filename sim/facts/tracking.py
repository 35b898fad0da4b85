"""Facts of what reaches the platform of its drivers, and reaches people of the platform."""

from sim.vocabulary import DriverId, OrderId, Stall


class TrackingFacts:
    """Phones, positions, arrival times, notifications."""

    # -- phones (truth) ------------------------------------------------------------------------------------------

    def signal_lost(self, *, driver: DriverId, since_s: float, until_s: float) -> None:
        """On the ride that begins now a phone will have no signal from one time to another, unless another ride begins."""

    def driver_offline(self, *, driver: DriverId) -> None:
        """A driver's app lost its connection."""

    def driver_online(self, *, driver: DriverId) -> None:
        """A driver's app is connected again."""

    def offer_pushed(self, *, order: OrderId, driver: DriverId, delay_s: float, shown: bool) -> None:
        """An offer went to a driver's phone as a push, for its app had no WebSocket; it took `delay_s`, or was never `shown`."""

    # -- drivers who do not get on (belief) --------------------------------------------------------------------------

    def driver_stalled(self, *, order: OrderId, driver: DriverId, stall: Stall, late_s: float) -> None:
        """A driver should have been at the store, or the door, `late_s` ago: the platform has looked where he is."""

    def order_taken_back(self, *, order: OrderId, driver: DriverId) -> None:
        """An order that a driver had accepted, and not taken away yet, is offered to others."""

    # -- what customers are told (belief) --------------------------------------------------------------------------

    def eta_judged(self, *, order: OrderId, horizon_s: float, error_s: float, age_s: float) -> None:
        """An order came: `horizon_s` before, its customer was shown a time of arrival that was off by `error_s`.

        Above zero: later than it came; `age_s` is how old the position was that it was reckoned from.
        """
