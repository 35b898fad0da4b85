"""Facts of goods on their way to a shelf (truth): at the dock, and between stores."""

from sim.vocabulary import SkuId, StoreId, Units


class SupplyFacts:
    """Goods that are not on a shelf yet."""

    def goods_docked(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units came off a truck and stand at the dock; they leave it for their shelf, as `shelf_changed` says."""

    def round_ended(self, *, store: StoreId, lines: int, units: Units, waited_s: float) -> None:
        """Somebody has put goods away that had come `waited_s` ago: so many lines and units."""

    def goods_sent(self, *, store: StoreId, destination: StoreId, sku: SkuId, units: Units, due_s: float) -> None:
        """Units left a store's shelf for another store, to be there at `due_s`; `store` is nobody if it was before the start.

        Both shelves change by `shelf_changed` facts. What one store sends another at one moment is one trip.
        """
