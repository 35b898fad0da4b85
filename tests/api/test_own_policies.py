"""A policy written in Python, handed over as a class or an object, decides as one of the menu does; in worker processes too."""

from dataclasses import dataclass

import pytest

import sim
from sim.contracts import Offer
from sim.own import afresh, at_hand, handed_over, spec_of
from sim.vocabulary import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """As the menu's `nearest`, plainly."""

    ride_s_max: float = 420.0

    def __call__(self, view):
        for order in view.waiting:
            for driver, ride_s in view.nearest(order.store):
                if ride_s > self.ride_s_max:
                    break
                if not order.declined_by(driver):
                    yield Offer(order.id, driver)
                    break


class Counting:
    """Has memory: serves at most so many orders."""

    def __init__(self, most=5):
        self.left = most
        self.plain = Nearest()

    def __call__(self, view):
        for offer in self.plain(view):
            if self.left == 0:
                return
            self.left -= 1
            yield offer


def _delivered(result):
    return result.summary["orders"]["delivered"]


def test_a_class_an_object_and_the_menus_name_are_the_same_day(noon_file):
    menu = sim.run(noon_file, policies={"dispatch": "nearest(ride_s_max=600)"})
    mine = sim.run(noon_file, policies={"dispatch": Nearest(ride_s_max=600.0)})
    assert mine.summary["digest"] == menu.summary["digest"]
    assert mine.summary["fingerprint"] != menu.summary["fingerprint"]
    found = sim.run(noon_file, policies={"dispatch": Nearest}).summary["digest"]
    assert found == sim.run(noon_file, policies={"dispatch": "nearest"}).summary["digest"]


def test_memory_does_not_go_from_one_run_to_the_next(noon_file):
    policy = Counting(5)
    first, second = (sim.run(noon_file, policies={"dispatch": policy}) for _ in range(2))
    assert _delivered(first) == _delivered(second) <= 5
    assert policy.left == 5


def test_a_function_will_do(noon_file):
    assert _delivered(sim.run(noon_file, policies={"dispatch": lambda view: ()})) == 0


def test_workers_are_sent_it(noon_file):
    source = "class Refuse:\n    def __call__(self, view, request):\n        return False\n"
    space = {"__name__": "__main__"}  # as in a notebook: no worker can import it
    exec(source, space)
    one, two = (
        sim.compare(
            noon_file, {"open": {"admission": "open_door"}, "shut": {"admission": space["Refuse"]}}, reps=2, workers=workers,
            metrics=["orders.entered"], set={"horizon_h": 0.2},
        )
        for workers in (1, 2)
    )  # fmt: skip
    assert one.table.equals(two.table)
    assert one.table["mean"].tolist() == [0.0]
    assert one.table["base"].iloc[0] > 0


def test_its_parameters_and_its_source_name_what_is_simulated(noon_file):
    short = {"horizon_h": 0.1}
    prints = {
        sim.run(noon_file, set=short, policies={"dispatch": policy}).summary["fingerprint"]
        for policy in (Nearest, Nearest(), Nearest(ride_s_max=99.0), Counting)
    }
    assert len(prints) == 4
    assert spec_of(Nearest(ride_s_max=99.0)) == "python:Nearest(ride_s_max=99.0)"
    assert spec_of(Nearest) == "python:Nearest"
    assert spec_of(lambda view: ()) == "python:lambda"


def test_its_page_says_how_a_shell_would_name_it(noon_file, tmp_path):
    found = sim.run(
        noon_file, policies={"dispatch": Nearest(ride_s_max=99.0)}, set={"horizon_h": 0.1}, out=tmp_path / "own"
    )
    page = found.report().read_text(encoding="utf-8")
    assert "# python:Nearest was handed over in Python; from a shell, name its file: file.py:Nearest" in page
    plain = sim.run(noon_file, set={"horizon_h": 0.1}, out=tmp_path / "plain").report().read_text(encoding="utf-8")
    assert "handed over in Python" not in plain


def test_two_of_one_name_are_told_apart(noon_file):
    found = sim.compare(
        noon_file, {"few": {"dispatch": Counting(2)}, "more": {"dispatch": Counting(4)}}, reps=1, workers=1,
        metrics=["orders.delivered"],
    )  # fmt: skip
    (row,) = found.table.itertuples()
    assert row.base <= 2 < row.mean <= 4


def test_it_lies_at_hand_only_as_long_as_it_is_used():
    with at_hand(()), pytest.raises(InputError, match="expected a dispatch policy"):
        sim.run("small", policies={"dispatch": "python:Nearest"})
    assert handed_over("dispatch", "python:Nearest") is None
    assert afresh(Counting).left == 5


def test_its_errors_are_its_own_and_say_where(noon_file):
    class Wrong:
        def __call__(self, view):
            raise KeyError("nothing")

    with pytest.raises(InputError, match=r"python:Wrong \(line \d+\): the policy failed with KeyError"):
        sim.run(noon_file, policies={"dispatch": Wrong})

    class Never:
        def __init__(self):
            raise ValueError("no")

    with pytest.raises(InputError, match="python:Never: ValueError: no"):
        sim.run(noon_file, policies={"dispatch": Never})
