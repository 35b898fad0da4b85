"""Facts of the shop floor (truth): goods, pickers, drivers."""

from sim.vocabulary import (
    CancelReason,
    Cents,
    DriverId,
    Mishap,
    NodeId,
    OrderId,
    PickerId,
    PickStage,
    SkuId,
    StockCause,
    StoreId,
    Trip,
    Units,
)


class FloorFacts:
    """Goods, pickers, drivers."""

    # -- goods (truth) -------------------------------------------------------------------------------------------

    def shelf_changed(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause, order: OrderId) -> None:
        """Units on a shelf changed by `units` (signed), and into no order's tote; `order`: for which they were touched."""

    def scan_slipped(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause, order: OrderId) -> None:
        """What people scanned says `units` (signed) more than what happened to the goods: the scan log is off by so much more."""

    def goods_sold(self, *, store: StoreId, sku: SkuId, taken: SkuId, units: Units) -> None:
        """Units went over the counter in a step of a goods-only run: off the shelf of `taken`, off the record of `sku`.

        The two differ where somebody took what lies beside and scanned it as what was wanted.
        """

    def sale_missed(self, *, store: StoreId, sku: SkuId, units: Units, denied: bool) -> None:
        """Units that were wanted in a step of a goods-only run: the record denied them, or the shelf did not have them."""

    def backorder_changed(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units that customers wait for changed by `units` (signed)."""

    def goods_picked(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units moved from the shelf into an order's tote."""

    def goods_put_back(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units of a cancelled order moved from its tote back to the shelf."""

    def goods_left(self, *, order: OrderId, store: StoreId) -> None:
        """An order's tote left the store with its driver."""

    def goods_kept(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units stay in the tote with the driver, who hands the rest over: the customer could not show to be of age."""

    def goods_returned(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units, wasted: bool) -> None:
        """Units that a driver brought back left the tote for their shelf or, `wasted`, were thrown away."""

    def supply_ordered(self, *, store: StoreId, lines: int, units: Units, due_s: float) -> None:
        """Replenishment was ordered, to arrive at `due_s`."""

    def count_planned(self, *, store: StoreId, lines: int) -> None:
        """So many shelves of a store are to be counted by plan; what is left of an earlier plan is not counted any more."""

    def crew_counted(self, *, store: StoreId, lines: int) -> None:
        """One of a crew has counted so many shelves of a store by plan, and is paid for it."""

    def shelf_counted(self, *, store: StoreId, sku: SkuId, units: Units, order: OrderId) -> None:
        """Somebody counted a shelf and found `units`; `order`: whose line fell short there."""

    # -- pickers -------------------------------------------------------------------------------------------------

    def picker_on(self, *, picker: PickerId, store: StoreId) -> None:
        """A picker's shift began."""

    def picker_off(self, *, picker: PickerId) -> None:
        """A picker went home."""

    def pick_started(self, *, order: OrderId, picker: PickerId, store: StoreId) -> None:
        """A picker took an order from the queue."""

    def order_brought(self, *, order: OrderId, store: StoreId, room: bool) -> None:
        """A picker brought an order to the packing stations; without `room` there the picker packs it."""

    def packing_began(self, *, order: OrderId, store: StoreId) -> None:
        """A packing station took an order."""

    def packing_ended(self, *, order: OrderId, store: StoreId) -> None:
        """A packing station is done with an order, which stands at the counter or is off."""

    def pick_ended(
        self, *, order: OrderId, picker: PickerId, pace: float, walk_s: float, zones_s: float, crowd_s: float
    ) -> None:
        """A picker finished with an order: packed it, found nothing of it, or learned that it was cancelled.

        `pace`: how much longer than expected the picker's hands took; seconds walked, spent on entering zones, and lost to
        others in the same aisles. Of a tour of several orders, each has an equal part of the seconds.
        """

    def stage_spent(self, *, picker: PickerId, pick_stage: PickStage, spent_s: float, order: OrderId) -> None:
        """A picker with an order in hand has spent time on something else than fetching what is there.

        What several orders on one tour wait for together is told of the first of them.
        """

    def count_started(self, *, picker: PickerId, store: StoreId) -> None:
        """A picker for whom there was no order went to count shelves by plan."""

    def count_ended(self, *, picker: PickerId, lines: int) -> None:
        """A picker has counted so many shelves by plan."""

    # -- drivers (truth) -----------------------------------------------------------------------------------------

    def driver_on(self, *, driver: DriverId, store: StoreId, node: NodeId, profile: int) -> None:
        """A driver's shift began at the home store, with a vehicle of the fleet (its place in the scenario's list)."""

    def driver_off(self, *, driver: DriverId) -> None:
        """A driver went home."""

    def driver_waits(self, *, driver: DriverId, node: NodeId) -> None:
        """A driver became free and stays where he is."""

    def leg_started(
        self, *, driver: DriverId, order: OrderId, trip: Trip, origin: NodeId, node: NodeId, arrive_s: float
    ) -> None:
        """A driver set out from `origin` to `node`; undisturbed, the ride ends at `arrive_s`."""

    def vehicle_stopped(
        self, *, driver: DriverId, order: OrderId, node: NodeId, mishap: Mishap, until_s: float
    ) -> None:
        """A ride ended before its time: the vehicle stands at `node` until `until_s`."""

    def address_wrong(self, *, driver: DriverId, order: OrderId, node: NodeId) -> None:
        """A driver found that the customer does not live at `node`, where the order was to go."""

    def driver_at_store(self, *, driver: DriverId, order: OrderId, store: StoreId) -> None:
        """A driver reached the store of an order."""

    def goods_delivered(self, *, driver: DriverId, order: OrderId, node: NodeId) -> None:
        """A driver handed everything in an order's tote over at the customer's door, but for what was kept just before."""

    def way_paid(self, *, driver: DriverId, order: OrderId, cents: Cents) -> None:
        """A driver who just handed an order over is owed this for the way to the customer; only where ways are paid."""

    def tip_given(self, *, driver: DriverId, order: OrderId, cents: Cents) -> None:
        """A customer who was just handed an order tipped the driver."""

    def age_checked(self, *, driver: DriverId, order: OrderId, passed: bool) -> None:
        """A driver at the door has asked for a proof of age, as something in the bag is sold to adults only."""

    def handover_failed(self, *, driver: DriverId, order: OrderId, node: NodeId, reason: CancelReason) -> None:
        """A driver at the customer's door gave up: everything in the order's tote goes back to its store."""

    def tote_handed_in(self, *, driver: DriverId, order: OrderId, store: StoreId) -> None:
        """A driver handed in at the store what was brought back of an order."""
