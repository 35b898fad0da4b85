"""Admission: let everybody in."""

from dataclasses import dataclass

from sim.contracts import AdmissionView, OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDoor:
    """Accept every order while the platform holds fewer than `open_orders_max` open ones.

    `open_orders_max`: 0 means no limit (the default: a customer turned away is lost, one who waits may not be).
    """

    open_orders_max: int = 0

    def __post_init__(self) -> None:
        if self.open_orders_max < 0:
            raise ValueError(f"Expected open_orders_max >= 0, got {self.open_orders_max}.")

    def __call__(self, view: AdmissionView, request: OrderRequest) -> bool:
        return self.open_orders_max == 0 or view.open_orders < self.open_orders_max
