"""Where drivers end their shifts: what the policies of this family share."""

from sim.contracts import PositioningView
from sim.vocabulary import StoreId

AT_END = ("stay", "home", "nearest")


def checked(at_end: str) -> None:
    """Refuse what says nothing of where a shift ends.

    Raises
    ------
    ValueError
        It is none of `AT_END`.
    """
    if at_end not in AT_END:
        raise ValueError(f"Expected at_end to be one of {', '.join(AT_END)}, got {at_end!r}.")


def end_at(view: PositioningView, at_end: str) -> StoreId | None:
    """The store at which a driver ends the shift: his own, the nearest (ties to the lowest number), or None, where he is."""
    if at_end == "nearest":
        return min(map(StoreId, range(view.stores)), key=view.ride_s)
    return view.home if at_end == "home" else None
