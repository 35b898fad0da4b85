"""Routes, stores and delivered orders as GeoJSON (RFC 7946), for QGIS, geopandas and whatever draws maps.

A ride is drawn as a straight line between its ends (the log has no more of it), and says so in its property `drawn`.
Times are in whole milliseconds: GDAL rounds what is finer, and gets minutes of sixty seconds.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim.reading.legs import Leg, legs_of, places_of
from sim.reading.run import FinishedRun

Feature = dict[str, Any]


def write(run: FinishedRun, place: Path) -> None:
    """Write one feature collection: stores, then delivered orders, then routes, one for each driver and kind of trip."""
    features = [*_stores(run), *_orders(run), *_routes(run)]
    with place.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[\n')
        file.write(",\n".join(json.dumps(feature, allow_nan=False, separators=(",", ":")) for feature in features))
        file.write("\n]}\n")


def _feature(kind: str, geometry: str, coordinates: Any, **properties: Any) -> Feature:
    return {
        "type": "Feature",
        "geometry": {"type": geometry, "coordinates": coordinates},
        "properties": {"kind": kind, **properties},
    }


def _stores(run: FinishedRun) -> Iterator[Feature]:
    for number, store in enumerate(run.stores):
        yield _feature("store", "Point", [store.lon, store.lat], store=number, name=store.name)


def _orders(run: FinishedRun) -> Iterator[Feature]:
    names = ("order", "store", "driver", "lon", "lat", "entered_s", "delivered_s", "promised_s")
    for order, store, driver, lon, lat, entered_s, delivered_s, promised_s in zip(
        *run.columns("orders", *names).values(), strict=True
    ):
        if delivered_s is None or lon is None or lat is None:
            continue
        yield _feature(
            "order",
            "Point",
            [round(lon, 6), round(lat, 6)],
            order=order,
            store=store,
            driver=driver,
            delivered_at=run.iso(delivered_s, "milliseconds"),
            click_to_door_s=round(delivered_s - entered_s, 3),
            late=promised_s is not None and delivered_s > promised_s,
        )


def _routes(run: FinishedRun) -> Iterator[Feature]:
    places, routes = places_of(run), dict[tuple[int, int], list[Leg]]()
    for leg in legs_of(run.archive):
        if leg.origin != leg.node and leg.origin in places and leg.node in places:
            routes.setdefault((leg.driver, int(leg.trip)), []).append(leg)
    for (driver, _), legs in sorted(routes.items()):
        lines = [[list(places[leg.origin]), list(places[leg.node])] for leg in legs]
        lines = [line for line in lines if line[0] != line[1]]
        if lines:
            yield _feature(
                "route",
                "LineString" if len(lines) == 1 else "MultiLineString",
                lines[0] if len(lines) == 1 else lines,
                driver=driver,
                trip=legs[0].trip.name.lower(),
                rides=len(lines),
                ride_s=round(sum(leg.end_s - leg.start_s for leg in legs), 3),
                first_at=run.iso(legs[0].start_s, "milliseconds"),
                drawn="straight lines between the ends of each ride",
            )
