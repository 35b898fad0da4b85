"""Rides that are broken off end where their driver turns or stands, not where he was bound for."""

import numpy as np

from sim.reading.legs import legs_of
from sim.recording.schema import CODES, DTYPES
from sim.vocabulary import Mishap, Trip


class Told:
    """An archive of a few facts, given in the order of the day."""

    def __init__(self, *facts):
        self._facts = facts

    def rows(self, kind, names=None):
        dtype = DTYPES[CODES[kind]]
        rows = np.array(
            [tuple(fact[name] for name in dtype.names) for told, fact in self._facts if told == kind], dtype
        )
        return rows if names is None else rows[list(names)]

    def seq(self, kind):
        return np.array([place for place, (told, _) in enumerate(self._facts) if told == kind], dtype=np.int64)


def ride(t_s, origin, node, arrive_s, trip=Trip.BACK, driver=0):
    said = {
        "t_s": t_s,
        "driver": driver,
        "order": 1,
        "trip": trip,
        "origin": origin,
        "node": node,
        "arrive_s": arrive_s,
    }
    return "leg_started", said


def test_who_is_sent_elsewhere_turns_at_the_next_place_on_the_way():
    rides = legs_of(Told(ride(0.0, 10, 20, 100.0), ride(40.0, 15, 30, 90.0, Trip.TO_STORE)))
    assert [(leg.origin, leg.node, leg.end_s) for leg in rides] == [(10, 15, 40.0), (15, 30, 90.0)]


def test_a_vehicle_that_stops_on_the_way_ends_the_ride_there():
    stop = {"t_s": 50.0, "driver": 0, "order": 1, "node": 12, "mishap": Mishap.BREAKDOWN, "until_s": 80.0}
    rides = legs_of(Told(ride(0.0, 10, 20, 100.0), ("vehicle_stopped", stop), ride(80.0, 12, 20, 130.0)))
    assert [(leg.origin, leg.node, leg.end_s) for leg in rides] == [(10, 12, 50.0), (12, 20, 130.0)]


def test_who_goes_home_or_arrives_has_ended_the_ride_and_others_do_not_matter():
    off = ("driver_off", {"t_s": 60.0, "driver": 0})
    rides = legs_of(Told(ride(0.0, 1, 2, 10.0), ride(5.0, 8, 9, 70.0, driver=1), ride(20.0, 2, 3, 90.0), off))
    assert [(leg.driver, leg.origin, leg.node, leg.end_s) for leg in rides] == [
        (0, 1, 2, 10.0),
        (0, 2, 3, 60.0),
        (1, 8, 9, 70.0),
    ]
