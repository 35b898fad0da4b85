"""What is true of one driver, and of a ride under way."""

from math import inf

from sim.ports import OfferMessage
from sim.story import Signal
from sim.vocabulary import NOBODY, TICK_S, TICKS_PER_MS, DriverId, NodeId, StoreId
from sim.world.coverage import Parts
from sim.world.travel import Travel


class Leg:
    """A ride under way or done: from a node to a store or a customer; one to where it began: its driver stands there.

    `began_s`: when the driver set his mind on it; he sets out at `depart_s`, at the next junction. `silent`: times on it
    without a signal, (from, to), seconds. `gone`: no ride, its driver is not at work from then on.
    """

    __slots__ = (
        "arrive_s", "began_s", "depart_s", "gone", "node", "noise", "origin", "period", "root", "silent", "towards"
    )  # fmt: skip

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
        began_s: float,
    ) -> None:
        self.origin, self.node, self.depart_s, self.arrive_s = origin, node, depart_s, arrive_s
        self.root, self.towards, self.period, self.noise = root, towards, period, noise
        self.began_s, self.gone = began_s, False
        self.silent: Parts = ()

    def at(self, t_s: float, profile: int, travel: Travel) -> tuple[NodeId, float]:
        """The next road node that is reached at or after a time by a vehicle profile, and when."""
        if t_s >= self.arrive_s:
            return self.node, t_s
        if t_s <= self.depart_s:
            return self.origin, self.depart_s
        elapsed_ms = (t_s - self.depart_s) * 1000.0 / self.noise
        node, reached_ms = travel.along(
            self.root, self.towards, self.origin, self.node, profile, self.period, elapsed_ms
        )
        if node == self.node:
            return self.node, self.arrive_s
        return NodeId(node), self.depart_s + int(reached_ms * TICKS_PER_MS * self.noise) * TICK_S


class Driver:
    """What is true of one driver."""

    __slots__ = (
        "back", "crashed", "ending", "free_since_s", "home", "id", "left_s", "leg", "node", "on", "on_since_s", "order", "out",
        "over", "owes_s", "profile", "start", "store", "told_s", "until_s", "wake",
    )  # fmt: skip

    def __init__(self, driver: DriverId, home: StoreId, profile: int, start: NodeId) -> None:
        self.id, self.home, self.profile, self.start = driver, home, profile, start  # where the shift begins
        self.on = False  # on shift
        self.out = False  # at work: on shift, or finishing a delivery after it
        self.crashed = False  # had an accident on the last shift
        self.over = False  # the shift, when he is not on it; False: a break
        self.ending = False  # on the way to where it ends
        self.on_since_s = self.free_since_s = 0.0  # since when on shift, and without work
        self.told_s = -inf  # when what he heard last of where to ride without work was said
        self.left_s = -inf  # when he went home last, or into a break
        self.until_s = 0.0  # the end of the shift under way
        self.owes_s = 0.0  # time off that the rules ask for before the next begins
        self.back = 1.0  # the noise of rides without an order: that of the order he was busy with last on this shift
        self.node = NodeId(0)
        self.leg: Leg | None = None
        self.store: StoreId = StoreId(NOBODY)  # where a free driver stands or is riding to
        self.order: OfferMessage | None = None
        self.wake = Signal()
