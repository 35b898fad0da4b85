"""GeoJSON: read by geopandas, longitude first, every ride and delivery once."""

import json
from itertools import pairwise

import geopandas as gpd
import pytest
from shapely.geometry import shape

from sim.reading.legs import legs_of, places_of
from sim.vocabulary import Trip


@pytest.fixture
def features(exported):
    return json.loads(exported("geojson").read_text(encoding="utf-8"))["features"]


def of(features, kind):
    return [feature for feature in features if feature["properties"]["kind"] == kind]


def test_geopandas_reads_valid_geometries_on_the_plain_at_the_equator(exported, features):
    read = gpd.read_file(exported("geojson"))
    assert len(read) == len(features)
    assert read.crs.to_epsg() == 4326
    assert read.geometry.is_valid.all()
    assert set(read.geometry.geom_type) <= {"Point", "LineString", "MultiLineString"}
    assert (read.total_bounds[:2] >= -0.001).all()
    assert (read.total_bounds[2:] < 0.05).all()  # a plain of 5 km by 2


def test_every_delivered_order_is_a_point_that_says_how_long_it_took(features, run):
    orders = run.columns("orders", "order", "entered_s", "delivered_s", "promised_s", "lon", "lat")
    delivered = {order: row for order, *row in zip(*orders.values(), strict=True) if row[1] is not None}
    points = {feature["properties"]["order"]: feature for feature in of(features, "order")}
    assert set(points) == set(delivered)
    assert any(point["properties"]["late"] for point in points.values())
    for order, (entered_s, delivered_s, promised_s, lon, lat) in delivered.items():
        said = points[order]["properties"]
        assert said["click_to_door_s"] == pytest.approx(delivered_s - entered_s, abs=1e-3)
        assert said["late"] == (delivered_s > promised_s)
        assert points[order]["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)


def test_routes_hold_every_ride_that_led_somewhere_once(features, run):
    places = places_of(run)
    rides = [leg for leg in legs_of(run.archive) if places[leg.origin] != places[leg.node]]
    routes = of(features, "route")
    assert sum(route["properties"]["rides"] for route in routes) == len(rides) > 100
    assert sum(len(getattr(shape(route["geometry"]), "geoms", [0])) for route in routes) == len(rides)
    keys = [(route["properties"]["driver"], route["properties"]["trip"]) for route in routes]
    assert len(keys) == len(set(keys))
    assert {trip for _, trip in keys} >= {"to_store", "to_customer", "back"}
    assert all("straight" in route["properties"]["drawn"] for route in routes)


def test_a_ride_ends_before_the_next_begins_and_where_it_begins(run):
    rides = legs_of(run.archive)
    assert len(rides) == len(run.archive.rows("leg_started"))
    assert any(ride.trip is Trip.RETURN for ride in rides)
    broken_off = 0
    for ride, after in pairwise(rides):
        assert ride.start_s <= ride.end_s
        if ride.driver == after.driver:
            assert ride.end_s <= after.start_s
            assert ride.node == after.origin
            broken_off += ride.end_s == after.start_s and ride.trip is Trip.BACK
    assert broken_off
    stops = run.archive.rows("vehicle_stopped")
    assert {(stop["driver"], stop["t_s"]) for stop in stops} <= {(ride.driver, ride.end_s) for ride in rides}


def test_a_map_that_is_another_one_by_now_leaves_stores_and_customers(run, monkeypatch):
    monkeypatch.setitem(run.manifest["scenario"], "map", "nowhere-at-all")
    places = places_of(run)
    assert set(places) == {store.node for store in run.stores} | set(run.columns("orders", "node")["node"])
