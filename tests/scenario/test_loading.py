"""From YAML to a scenario: layers, overrides, traps of YAML, and errors that point at the place to mend."""

import re
from pathlib import Path
from typing import Any

import pytest

from sim.metrics.benches import window_open_s
from sim.scenario import load, load_text
from sim.scenario.fields import DAY_S, off_s, window_s
from sim.scenario.loading import shipped_scenarios
from sim.vocabulary import InputError

BAD: list[tuple[str, str]] = [
    ("seed: -1", ":1: seed: expected a value >= 0, got -1"),
    ("\nseed: 1.5", ":2: seed: expected a whole number, got 1.5"),
    ("seed: true", ":1: seed: expected a whole number, got True"),
    ("seed: '3'", ":1: seed: expected a whole number, got '3'"),
    ("horizon_h: 0", ":1: horizon_h: expected a value > 0"),
    ("horizon_h: .inf", ":1: horizon_h: expected a finite number"),
    ("horizon_h: .nan", ":1: horizon_h: expected a finite number"),
    ("drivers:\n  count: 0", ":2: drivers.count: expected a value > 0, got 0"),
    ("drivers:\n  cuont: 3", ":2: drivers.cuont: expected a known key, got 'cuont' (did you mean count?)"),
    ("driver: {count: 3}", ":1: driver: expected a known key, got 'driver' (did you mean drivers?)"),
    ("demand:\n  profile: [1, 2]", ":2: demand.profile: expected at least 24 entries"),
    ("demand:\n  orders_per_day: -5", ":2: demand.orders_per_day: expected a value >= 0"),
    (
        "demand:\n  surges:\n    - at: '25:00'\n      minutes: 3\n      factor: 2",
        ":3: demand.surges.0.at: expected a time",
    ),
    ("demand:\n  surges:\n    - {minutes: 3, factor: 2}", ":3: demand.surges.0.at: expected a value, got none"),
    ("demand:\n  weekday: [0, 0, 0, 0, 0, 0, 0]", ":2: demand.weekday: expected weights"),
    ("start: yesterday", ":1: start: expected a local date-time"),
    ("start: 2026-11-20T06:00", ":1: start: expected a local date-time with its zone"),
    ("start: 2026-11-20T06:00 Europe/Nowhere", ":1: start: expected a local date-time"),
    ("stores:\n  zone: {radius_m: 5, drive_s: 3}", ":2: stores.zone: expected exactly one of radius_m and drive_s"),
    ("stores:\n  zone: {}", ":2: stores.zone: expected exactly one of"),
    ("stores:\n  open: 7-9", ":2: stores.open: expected a time"),
    ("stores:\n  layout: {blocking: 1.5}", ":2: stores.layout.blocking: expected a value <= 1"),
    ("support: {handle_s: 1e7}", ":1: support.handle_s: expected a value <= 86400"),
    ("support: {lead_minutes: 1e6}", ":1: support.lead_minutes: expected a value <= 1440"),
    ("support: {goodwill_cents: 99999999999999999999}", ":1: support.goodwill_cents: expected a value <= 10000000"),
    ("stores:\n  place: []", ":2: stores.place: expected at least one store"),
    ("stores:\n  place:\n    - {lat: 91, lon: 0}", ":3: stores.place.0.lat: expected a value <= 90"),
    (
        "stores:\n  place:\n    - {lat: 1, lon: 0, nmae: x}",
        ":3: stores.place.0.nmae: expected a known key, got 'nmae' (did you mean name?)",
    ),
    ("pickers:\n  shifts: []", ":2: pickers.shifts: expected at least one shift"),
    ("pickers:\n  shifts: [{at: '06:00', hours: 8, share: 0.5}]", ":2: pickers.shifts: expected shares"),
    ("drivers:\n  vehicles: {rocket: 1}", ":2: drivers.vehicles"),
    (
        "drivers:\n  vehicles: {car: 0.5}",
        ":2: drivers.vehicles: expected shares of the vehicles that sum to 1, got 0.5",
    ),
    ("drivers:\n  accept_share: 1.1", ":2: drivers.accept_share: expected a value <= 1"),
    (
        "platform:\n  profile: minimum",
        ":2: platform.profile: expected 'full' or 'minimal', got 'minimum' (did you mean minimal?)",
    ),
    ("slo:\n  - on_time is nice", ": slo"),
    ("slo:\n  - foo > 1", ":2: slo.0.metric: expected a metric of summary.json"),
    ("faults:\n  - {kind: fire, at: '10:00', minutes: 3}", ":2: faults.0.kind: expected"),
    ("\nhorizon_h: 2\nwarmup_h: 30", ":3: warmup_h: expected a time below horizon_h (2), got 30"),
    (
        "demand:\n  flash_sales:\n    - {at: '20:00', seconds: 3, buyers: 2, sku: 4000}",
        ":2: expected demand.flash_sales with",
    ),
    (
        "stores: {count: 2}\nfaults:\n  - {kind: scanner_failure, at: '10:00', minutes: 3, store: 1}\n"
        "  - {kind: scanner_failure, at: '10:00', minutes: 3, store: 2}",
        ":4: faults.1.store: expected a store below 2, the first is 0, got 2",
    ),
    (
        "platform:\n  regions: 3\nstores: {count: 2}",
        ":2: platform.regions: expected at most as many as stores (2), got 3",
    ),
    (
        "platform: {regions: 2}\nfaults:\n  - {kind: database_crash, at: '10:00', region: 2}",
        ":3: faults.0.region: expected a region below 2 (platform.regions), the first is 0, got 2",
    ),
    ("name: x\nunmet: backorder", ":2: mode: expected goods_only with unmet: backorder"),
    (
        "catalogue:\n  categories:\n  - {name: a, share: 0.5, price_cents: 3, litres: 1}\n"
        "  - {name: a, share: 0.5, price_cents: 3, litres: 1}",
        ":2: catalogue.categories: expected categories with different names, got a, a",
    ),
    ("map: {width_m: -1}", ":1: map.width_m: expected a value >= 0"),
    ("map: {widht_m: 1}", ":1: map.widht_m: expected a known key, got 'widht_m' (did you mean width_m?)"),
    ("map: 5", ":1: map"),
    (
        "policies:\n  dispach: nearest",
        ":2: policies.dispach: expected a known key, got 'dispach' (did you mean dispatch?)",
    ),
    ("unmet: backordered", ":1: unmet: expected"),
    ("a: 1\na: 2", ":2: expected YAML, got: found duplicate key"),
    ("drivers: {count: 1, count: 2}", ":1: expected YAML, got: found duplicate key"),
    ("- 1", ":1: expected a mapping"),
    ("just text", ":1: expected a mapping"),
    ("{", "expected YAML"),
    ("a: [1", "expected YAML"),
    ("\tname: x", "expected YAML"),
    ("name: 'a b'", ":1: name: expected"),
    ("name: ../../etc", ":1: name: expected"),
    ("Name: x", ":1: Name: expected a known key, got 'Name' (did you mean name?)"),
    ("~: 2", ":1:"),
    ("demand:\n  float: 3", ":2: demand.float: expected"),
    ("costs:\n  store_day_cents: 1.5", ":2: costs.store_day_cents: expected a whole number"),
    ("demand: 5", ":1: demand: expected a mapping of keys, got 5"),
    ("pickers: []", ":1: pickers: expected a mapping of keys"),
]


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_an_error_names_file_line_path_and_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load_text(text, file="mine.yaml")
    said = str(caught.value)
    assert said.startswith("mine.yaml:"), said
    assert expected in said
    assert "\n" not in said
    assert "expected" in said


@pytest.mark.parametrize("text", [bad for bad, _ in BAD])
def test_the_word_got_stands_once(text: str) -> None:
    with pytest.raises(InputError) as caught:
        load_text(text)
    said = str(caught.value)
    assert said.count("got ") <= 1 or "duplicate key" in said or "got: " in said, said


def test_yaml_1_2_keeps_words_and_clocks() -> None:
    scenario = load_text(
        "name: no\npickers:\n  shifts: [{at: 22:30, hours: 3}]\nstores: {open: 07:00-24:00}\ndescription: 'yes'\n"
    )
    assert scenario.name == "no"
    assert scenario.pickers.shifts[0].at == "22:30"
    assert load_text("seed: 0x10").seed == 16
    assert load_text("seed: 010").seed == 10
    assert load_text("demand: {calendar: {2026-12-24: 1.6}}").demand.calendar == {"2026-12-24": 1.6}
    assert load_text("", ["demand.calendar={2026-12-24: 1.6}"]).demand.calendar == {"2026-12-24": 1.6}
    for start in ("2026-11-20T06:00:00-03:00", "2026-11-20T06:00-03:00", "'2026-11-20T06:00 America/Santiago'"):
        at = load_text(f"start: {start}").start_at
        assert (at.hour, at.utcoffset().total_seconds()) == (6, -10_800)  # type: ignore[union-attr]
        assert load_text("", [f"start={start}"]).start_at == at


def test_merge_keys_and_anchors_of_yaml() -> None:
    text = "demand:\n  surges:\n    - &x {at: '10:00', minutes: 5, factor: 2}\n    - {<<: *x, factor: 3}\n    - *x\n"
    surges = load_text(text).demand.surges
    assert [(s.at, s.factor) for s in surges] == [("10:00", 2), ("10:00", 3), ("10:00", 2)]


@pytest.mark.parametrize(
    ("setting", "check"),
    [
        ("drivers.count=40", lambda s: s.drivers.count == 40),
        ("drivers.vehicles={car: 1}", lambda s: s.drivers.vehicles == {"car": 1}),
        ("drivers.vehicles.car=1", lambda s: s.drivers.vehicles == {"car": 1}),
        ("stores.zone.drive_s=300", lambda s: s.stores.zone.drive_s == 300),
        ("demand.surges=[{at: 10:00, minutes: 5, factor: 2}]", lambda s: s.demand.surges[0].at == "10:00"),
        ("pickers.shifts=[{at: 06:00, hours: 8}]", lambda s: s.pickers.shifts[0].at == "06:00"),
        ("name=no", lambda s: s.name == "no"),
        ("map=cairo", lambda s: s.map == "cairo"),
        ("map.width_m=3", lambda s: s.map.width_m == 3),
        ("policies.dispatch=nearest(ride_s_max=30)", lambda s: s.policies.dispatch == "nearest(ride_s_max=30)"),
        ("customers.patience_s=null", lambda s: s.customers.patience_s is None),
    ],
)
def test_set(setting: str, check: Any) -> None:
    scenario = load_text("", [setting])
    assert check(scenario)
    assert scenario.origins[setting.partition("=")[0]] == f"--set {setting}"


def test_set_reaches_into_lists_of_the_file_and_the_last_one_wins() -> None:
    text = (
        "demand:\n  surges:\n    - {at: '10:00', minutes: 5, factor: 2}\n    - {at: '11:00', minutes: 5, factor: 2}\n"
    )
    scenario = load_text(text, ["demand.surges.1.factor=9", "demand.surges.1.minutes=7", "seed=3", "seed=4"])
    assert [s.factor for s in scenario.demand.surges] == [2, 9]
    assert scenario.demand.surges[1].minutes == 7
    assert scenario.seed == 4


@pytest.mark.parametrize(
    "setting",
    [
        "drivers.count", "=3", "drivers..count=3", "drivers.count=x", "drivers.count=[", "drivers.count.x=1", "drivers.²=1",
        "demand.surges.9.at=3", "seed=", "cuont=3", "horizon_h=2026-01-01", "name=!!int 3",
        "drivers.count=!!python/object:os.system 1",
        "stores.place.0.lat=3", "a.b.c=1", ".=1", "name.0=x",
    ],
)  # fmt: skip
def test_a_bad_set_is_one_line(setting: str) -> None:
    with pytest.raises(InputError) as caught:
        load_text("", [setting])
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)
    assert "--set" in str(caught.value), "expected the place to mend: the option"


def test_extends_holds_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "name: base\ndrivers:\n  count: 7\n  vehicles: {car: 1}\nseed: 5\nstores:\n  zone: {radius_m: 500}\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "extends: base.yaml\ndrivers:\n  vehicles: {ebike: 1}\nstores:\n  zone: {drive_s: 60}\n"
    )
    scenario = load(str(tmp_path / "mine.yaml"))
    assert scenario.drivers.count == 7
    assert scenario.seed == 5
    assert scenario.drivers.vehicles == {"ebike": 1}
    assert scenario.stores.zone.drive_s == 60
    assert scenario.stores.zone.radius_m is None
    assert scenario.origins["drivers.count"] == f"{tmp_path / 'base.yaml'}:3"
    assert scenario.origins["drivers.vehicles"] == f"{tmp_path / 'mine.yaml'}:3"
    (tmp_path / "deep.yaml").write_text("extends: mine.yaml\nseed: -1\n")
    with pytest.raises(InputError, match=r"deep\.yaml:2: seed: expected"):
        load(str(tmp_path / "deep.yaml"))
    (tmp_path / "worse.yaml").write_text("extends: bad.yaml\n")
    (tmp_path / "bad.yaml").write_text("\n\nseed: -1\n")
    with pytest.raises(InputError, match=r"bad\.yaml:3: seed: expected"):
        load(str(tmp_path / "worse.yaml"))


def test_extends_by_shipped_name_and_never_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: default\nseed: 9\n")
    assert load(str(tmp_path / "mine.yaml")).map == load("default").map
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: ./a.yaml\n")
    (tmp_path / "self.yaml").write_text("extends: self.yaml\n")
    for name, expected in (("a", "circle"), ("self", "circle")):
        with pytest.raises(InputError, match=expected):
            load(str(tmp_path / f"{name}.yaml"))
    (tmp_path / "lost.yaml").write_text("seed: 1\nextends: nowhere.yaml\n")
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load(str(tmp_path / "lost.yaml"))
    (tmp_path / "odd.yaml").write_text("extends: [1]\n")
    with pytest.raises(InputError, match=r"odd\.yaml:1: extends: expected"):
        load(str(tmp_path / "odd.yaml"))


@pytest.mark.parametrize("content", [None, "folder", b"%PDF-1.7\xff\xfe\x00", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_scenario_is_one_line(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "thing.yaml"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert "thing.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_name_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError) as caught:
        load("defualt")
    assert all(name in str(caught.value) for name in shipped_scenarios())
    assert "did you mean default?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "setting", "said"),
    [
        ("small", "stores.layout.bench=20", "stores.layout: expected bench: an aisle below 9, got 20."),
        ("small", "stores.layout.aisles=3", "stores.layout: expected bench: an aisle below 3, got 4."),
        ("small", "stores.layout.zones={frozen: {aisles: 99}}", "stores.layout: expected zones: fewer aisles than"),
        ("small", "stores.layout.zones.frozen.aisles=99", "stores.layout: expected zones: fewer aisles than"),
        ("small", "stores.layout.levels=1", "expected stores.layout with slots for catalogue.skus (4000)"),
        ("small", "catalogue.skus=9000", "expected stores.layout with slots for catalogue.skus (9000)"),
        ("full-floor", "stores.packing.room=1", "stores.packing: expected room: at least stations (2), got 1."),
        ("full-floor", "catalogue.categories.0.share=0.9", "catalogue.categories: expected shares"),
    ],
)
def test_what_the_command_line_set_is_blamed_before_the_file_it_does_not_go_with(
    name: str, setting: str, said: str
) -> None:
    """Whoever reads it has typed the one and may never have seen the other."""
    with pytest.raises(InputError) as caught:
        load(name, ["stores.open=07:00-23:00", setting, "drivers.count=90"])
    assert str(caught.value).startswith(f"--set {setting}: {said}")


def test_of_several_settings_the_one_that_the_refusal_names_is_blamed() -> None:
    with pytest.raises(InputError) as caught:
        load("small", ["stores.layout.bench=20", "stores.layout.levels=9"])
    assert str(caught.value).startswith("--set stores.layout.bench=20: ")


def test_in_a_file_a_branch_is_blamed_at_the_key_that_the_refusal_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: small\nstores:\n  layout:\n    levels: 9\n    bench: 20\n")
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}:5: stores.layout: expected bench: ")


def test_a_branch_stands_where_the_command_line_last_set_something_in_it() -> None:
    """A run goes by this for what it refuses after loading: goods that find no slots in a zone."""
    plain, scenario = load("small"), load("small", ["stores.layout.levels=9", "stores.layout.zones.frozen.aisles=2"])
    assert plain.origin_of("stores.layout").endswith("default.yaml:8")
    assert scenario.origin_of("stores.layout") == "--set stores.layout.zones.frozen.aisles=2"
    assert scenario.origin_of("stores.layout.zones.frozen") == "--set stores.layout.zones.frozen.aisles=2"
    assert (
        scenario.origin_of("stores.layout.pitch_m")
        == plain.origin_of("stores.layout.pitch_m")
        == plain.origin_of("stores.layout")
    )


def test_hours_that_end_when_they_begin_are_the_whole_day() -> None:
    """Of the stores, the support desk and the reviewers alike."""
    scenario = load_text(
        "stores: {open: '09:00-09:00', review: {hours: '09:00-09:00'}}\nsupport: {hours: '09:00-09:00'}"
    )
    for hours in (scenario.stores.open, scenario.stores.review.hours, scenario.support.hours):
        begin_s, end_s = window_s(hours)
        assert end_s - begin_s == DAY_S
        assert [off_s(hours, at_s) for at_s in (0.0, begin_s - 1.0, begin_s, begin_s + 1.0)] == [0.0] * 4
    assert window_open_s(scenario, scenario.support.hours) == scenario.horizon_s == DAY_S


@pytest.mark.parametrize("value", [".nan", ".inf", "[.nan]"])
def test_a_value_that_no_parameter_can_have_is_the_settings_fault(value):
    with pytest.raises(InputError, match=re.escape(f"--set policies.dispatch.widen_s={value}: expected ")):
        load("small", [f"policies.dispatch.widen_s={value}"])
