"""What is true of one driver, and of a ride under way."""

from math import inf

from sim.ports import OfferMessage
from sim.story import Signal
from sim.vocabulary import NOBODY, DriverId, NodeId, StoreId


class Leg:
    """A ride under way or done: from a node to a store or a customer."""

    __slots__ = ("arrive_s", "depart_s", "node", "noise", "origin", "period", "root", "towards")

    def __init__(
        self,
        origin: NodeId,
        node: NodeId,
        depart_s: float,
        arrive_s: float,
        root: StoreId,
        towards: bool,
        period: int,
        noise: float,
    ) -> None:
        self.origin, self.node, self.depart_s, self.arrive_s = origin, node, depart_s, arrive_s
        self.root, self.towards, self.period, self.noise = root, towards, period, noise


class Driver:
    """What is true of one driver."""

    __slots__ = (
        "free_since_s", "home", "id", "left_s", "leg", "node", "on", "on_since_s", "order", "out", "owes_s", "profile", "start",
        "store", "until_s", "wake",
    )  # fmt: skip

    def __init__(self, driver: DriverId, home: StoreId, profile: int, start: NodeId) -> None:
        self.id, self.home, self.profile, self.start = driver, home, profile, start  # where the shift begins
        self.on = False  # on shift
        self.out = False  # at work: on shift, or finishing a delivery after it
        self.on_since_s = self.free_since_s = 0.0  # since when on shift, and without work
        self.left_s = -inf  # when he went home last, or into a break
        self.until_s = 0.0  # the end of the shift under way
        self.owes_s = 0.0  # time off that the rules ask for before the next begins
        self.node = NodeId(0)
        self.leg: Leg | None = None
        self.store: StoreId = StoreId(NOBODY)  # where a free driver stands or is riding to
        self.order: OfferMessage | None = None
        self.wake = Signal()
