"""What a policy sees, what it may propose, and what the rooms ask of each other.

Every family of decisions has one Protocol here. A policy is a frozen dataclass whose fields are its parameters, with one
``__call__`` from a read-only view to a decision; the platform accepts or refuses what is proposed. A policy that needs
memory is an ordinary class, built afresh per run. Views are live facades over indexes: read them during the call, keep
nothing. Distances and times in a view are what the platform *believes*.
"""

from dataclasses import dataclass
from typing import Any

from sim.contracts.dispatch import (
    Dispatch,
    DispatchView,
    Fleet,
    Offer,
    Positioning,
    PositioningView,
    Reposition,
    Sighting,
    Stops,
    WaitingOrder,
)
from sim.contracts.eta import Eta, Trips
from sim.contracts.floor import (
    BatchPicking,
    ComparedReconciliation,
    Corrections,
    CountView,
    LedgerView,
    Picking,
    PickingView,
    PickTask,
    PlannedReconciliation,
    Reconciliation,
    Replenishment,
    ReplenishmentView,
    ShortPick,
)
from sim.contracts.forecasting import HISTORY_DAYS_MAX, Forecast, ForecastView, SalesHistory, TrainedForecast
from sim.contracts.layout import Block, Routing, Slotting, SlottingView, Visits
from sim.contracts.locating import Locating, RideView
from sim.contracts.market import Incentive, LoadView, Pricing
from sim.contracts.orders import (
    Admission,
    AdmissionView,
    Fraud,
    FraudView,
    OrderRequest,
    Replacement,
    ReplacementView,
    Reservation,
    ReservationView,
    SagaPlan,
    SagaView,
    Sourcing,
    SourcingView,
    Substitution,
    SubstitutionView,
)
from sim.contracts.transfers import Move, Transfer, TransferView
from sim.vocabulary import Ruling

__all__ = [
    "FAMILIES",
    "HISTORY_DAYS_MAX",
    "POLICY_PROTOCOLS",
    "Admission",
    "AdmissionView",
    "BatchPicking",
    "Block",
    "ComparedReconciliation",
    "Corrections",
    "CountView",
    "Dispatch",
    "DispatchView",
    "Eta",
    "Fleet",
    "Forecast",
    "ForecastView",
    "Fraud",
    "FraudView",
    "Incentive",
    "LedgerView",
    "LoadView",
    "Locating",
    "Move",
    "Offer",
    "OrderRequest",
    "PickTask",
    "Picking",
    "PickingView",
    "PlannedReconciliation",
    "Policies",
    "Positioning",
    "PositioningView",
    "Pricing",
    "Reconciliation",
    "Replacement",
    "ReplacementView",
    "Replenishment",
    "ReplenishmentView",
    "Reposition",
    "Reservation",
    "ReservationView",
    "RideView",
    "Routing",
    "Ruling",
    "SagaPlan",
    "SagaView",
    "SalesHistory",
    "ShortPick",
    "Sighting",
    "Slotting",
    "SlottingView",
    "Sourcing",
    "SourcingView",
    "Stops",
    "Substitution",
    "SubstitutionView",
    "TrainedForecast",
    "Transfer",
    "TransferView",
    "Trips",
    "Visits",
    "WaitingOrder",
]

FAMILIES = {
    "admission": "whether a customer may place an order now",
    "fraud": "which orders are refused as fraud",
    "pricing": "what a customer is charged on top of the delivery fee",
    "sourcing": "which store serves an order",
    "reservation": "how stock is held against concurrent buyers",
    "saga": "in which order an order is reserved, paid and confirmed",
    "substitution": "what happens to lines that the records deny or that are not found",
    "slotting": "where each SKU lies in the stores",
    "routing": "how a picker walks through the aisles",
    "picking": "which order a free picker takes next",
    "dispatch": "which driver is offered which order, and when",
    "eta": "how estimates of rides are corrected by those that are over",
    "locating": "where a driver is believed to be between two positions",
    "incentive": "what a driver is offered on top of the usual pay",
    "positioning": "where a driver goes after a delivery, and for the end of a shift",
    "replenishment": "what a store orders from its supplier",
    "forecast": "what a store expects to sell on the days to come",
    "transfer": "what goes from one store to another",
    "reconciliation": "when people count shelves to correct the records",
}

POLICY_PROTOCOLS: dict[str, Any] = {
    "admission": Admission,
    "fraud": Fraud,
    "pricing": Pricing,
    "sourcing": Sourcing,
    "reservation": Reservation,
    "saga": SagaPlan,
    "substitution": Substitution,
    "slotting": Slotting,
    "routing": Routing,
    "picking": Picking,
    "dispatch": Dispatch,
    "eta": Eta,
    "locating": Locating,
    "incentive": Incentive,
    "positioning": Positioning,
    "replenishment": Replenishment,
    "forecast": Forecast,
    "transfer": Transfer,
    "reconciliation": Reconciliation,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """One policy per family."""

    admission: Admission
    fraud: Fraud
    pricing: Pricing
    sourcing: Sourcing
    reservation: Reservation
    saga: SagaPlan
    substitution: Substitution
    slotting: Slotting
    routing: Routing
    picking: Picking
    dispatch: Dispatch
    eta: Eta
    locating: Locating
    incentive: Incentive
    positioning: Positioning
    replenishment: Replenishment
    forecast: Forecast
    transfer: Transfer
    reconciliation: Reconciliation
