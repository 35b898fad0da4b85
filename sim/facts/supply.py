"""Facts of what lies between truck and shelf (truth)."""

from sim.vocabulary import SkuId, StoreId, Units


class SupplyFacts:
    """Goods that have come and are not on a shelf yet."""

    def goods_docked(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units came off a truck and stand at the dock; they leave it for their shelf, as `shelf_changed` says."""

    def round_ended(self, *, store: StoreId, lines: int, units: Units, waited_s: float) -> None:
        """Somebody has put goods away that had come `waited_s` ago: so many lines and units."""
