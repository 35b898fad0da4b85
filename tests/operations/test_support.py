"""The support desk: who writes, how long it takes until somebody answers, and what is given back, once."""

from typing import Any

import numpy as np
import pytest

from sim.metrics.support import support_h
from sim.platform.support_desk import SupportDesk
from sim.vocabulary import Contact, InputError, OrderState, Refusal, Role
from tests.conftest import lawful_day

# Bags that were mixed up, lines that nobody finds, a driver too few.
WRONGED = (
    "demand.orders_per_day=3000", "pickers.mispick_share=0.1", "stores.inaccurate_share=0.6", "stores.inaccurate_units=25",
    "supply={units_min: 1, cover_days: 0.05}", "payments.methods={card: 0.6, cash: 0.4}", "customers.patience_s=1800",
    "drivers.count=8", "drain_h=4",
)  # fmt: skip


def desk(**terms: Any) -> str:
    said = {"agents": 2, "hours": "'00:00-24:00'", "contact": "{late: 1, missing: 1, wrong: 1}", **terms}
    return f"support={{{', '.join(f'{name}: {value}' for name, value in said.items())}}}"


def by_order(rows: Any) -> dict[int, Any]:
    assert len(np.unique(rows["order"])) == len(rows), "once for each order"
    return {int(row["order"]): row for row in rows}


def wrong_units(day: Any) -> dict[tuple[int, int], int]:
    """Units of each (order, SKU) that were held for a delivered order and did not lie in its bag, by the goods' own facts."""
    lines: dict[tuple[int, int], int] = {}
    for kind, sign in (("stock_reserved", 1), ("hold_reduced", -1), ("goods_picked", -1)):
        for row in day.rows(kind):
            key = int(row["order"]), int(row["sku"])
            lines[key] = lines.get(key, 0) + sign * int(row["units"])
    delivered = set(day.rows("goods_delivered")["order"].tolist())
    return {key: units for key, units in lines.items() if units > 0 and key[0] in delivered}


def test_without_a_desk_nobody_writes_and_the_day_is_the_same(two_stores: Any, play: Any) -> None:
    """A desk changes nothing about who is served when: customers write when all is over."""
    without, with_one = play(two_stores(*WRONGED)), play(two_stores(*WRONGED, desk()))
    assert not len(without.rows("contact_made"))
    assert without.study.summary["support"]["contacts"] == 0
    assert without.study.summary["cost"]["by_kind"]["support"] == 0
    assert len(with_one.rows("contact_made")) > 20
    for name in ("entered_s", "promised_s", "delivered_s"):
        np.testing.assert_array_equal(without.study.orders[name], with_one.study.orders[name])


def test_who_was_wronged_writes_and_nobody_else(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*WRONGED, desk(late_minutes=4, after_minutes=0)))
    made, orders, wrong = by_order(day.rows("contact_made")), day.study.orders, wrong_units(day)
    found = dict.fromkeys(Contact, 0)
    reduced = set(day.rows("hold_reduced")["order"].tolist()) | set(day.rows("line_missing")["order"].tolist())
    for place, order in enumerate(orders["order"].tolist()):
        if orders["state"][place] != OrderState.DELIVERED:
            assert order not in made
            continue
        late = orders["delivered_s"][place] > orders["promised_s"][place] + 240.0
        mixed_up = any(key[0] == order for key in wrong)
        why = Contact.WRONG if mixed_up else Contact.MISSING if order in reduced else Contact.LATE if late else None
        assert (made[order]["contact"] if order in made else None) == why, order
        if why is not None:
            found[why] += 1
            assert made[order]["client"] == orders["client"][place]
            assert made[order]["t_s"] == orders["delivered_s"][place]
    assert min(found.values()) > 5, found


def test_who_is_not_of_age_does_not_write_about_what_the_driver_kept(two_stores: Any, play: Any) -> None:
    kinds = (
        "catalogue.categories=[{name: bread, share: 0.5, price_cents: 200, litres: 1}, "
        "{name: wine, share: 0.5, price_cents: 900, litres: 1, restricted: true}]"
    )
    sound = ("stores.inaccurate_share=0", "pickers.mispick_share=0", "supply.cover_days=5", "drivers.count=60")
    day = lawful_day(
        play,
        two_stores("customers.underage_share=1", kinds, *sound, desk(late_minutes=1000), "demand.orders_per_day=1500"),
    )
    assert len(day.rows("line_returned")) > 20
    assert not len(day.rows("contact_made"))


def test_letters_wait_in_line_for_the_next_free_agent(two_stores: Any, play: Any) -> None:
    """Each starts when it has come, those before it have begun and one of the agents is free: the desk's own recursion."""
    day = lawful_day(play, two_stores(*WRONGED, desk(agents=2, handle_s=300)))
    made, answered = day.rows("contact_made"), by_order(day.rows("contact_answered"))
    free = [0.0, 0.0]
    waits = []
    for letter in made:
        answer = answered.get(int(letter["order"]))
        begin = max(float(letter["t_s"]), min(free))
        if answer is None:
            continue
        assert begin - letter["t_s"] == answer["waited_s"]
        free[free.index(min(free))] = float(answer["t_s"])
        waits.append(answer["waited_s"])
    assert sum(wait > 0 for wait in waits) > 10
    summary = day.study.summary["support"]
    assert summary["wait_s"]["mean"] == pytest.approx(np.mean(waits))
    assert summary["answered"] == len(waits)
    assert summary["open"] == len(made) - len(waits)
    assert {int(row["actor"]) for row in answered.values()} == {0, 1}


def test_more_agents_wait_less_and_cost_more(two_stores: Any, play: Any) -> None:
    few, many = (play(two_stores(*WRONGED, desk(agents=agents, handle_s=300))) for agents in (1, 4))
    assert many.study.summary["support"]["wait_s"]["mean"] < 0.5 * few.study.summary["support"]["wait_s"]["mean"]
    scenario = few.world.scenario
    assert support_h(scenario) == 2.0
    cost = [day.study.summary["cost"]["by_kind"]["support"] for day in (few, many)]
    assert cost == [2 * scenario.costs.agent_hour_cents, 8 * scenario.costs.agent_hour_cents]


def test_out_of_hours_nobody_takes_a_letter_up(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*WRONGED, desk(agents=5, hours="'13:30-24:00'", after_minutes=0, lead_minutes=0)))
    made, answered = by_order(day.rows("contact_made")), by_order(day.rows("contact_answered"))
    begun = [row["waited_s"] + made[order]["t_s"] for order, row in answered.items()]
    assert min(begun) >= 1.5 * 3600.0 - 1e-6  # the day begins at noon
    assert sum(begin == pytest.approx(1.5 * 3600.0) for begin in begun) == 5
    assert min(row["t_s"] for row in made.values()) < 3600.0


def test_for_wrong_goods_the_price_paid_goes_back_and_for_the_rest_a_goodwill(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*WRONGED, desk(agents=9, goodwill_cents=123, refund_max_cents=1000)))
    prices, wrong = day.world.catalogue.price_cents, wrong_units(day)
    given, reduced = by_order(day.rows("goodwill_given")), day.study.orders["refunded_cents"]
    disputed = {(int(row["order"]), int(row["sku"])): int(row["units"]) for row in day.rows("line_disputed")}
    by_lead = 0
    for order, row in by_order(day.rows("contact_answered")).items():
        mine = {key: units for key, units in wrong.items() if key[0] == order}
        assert row["cents"] == given[order]["cents"]
        assert (row["role"], row["actor"]) == (given[order]["role"], given[order]["actor"])
        assert (row["role"] == Role.ADMIN) == (row["cents"] > 1000)
        by_lead += row["role"] == Role.ADMIN
        if row["contact"] == Contact.WRONG:
            assert {key: units for key, units in disputed.items() if key[0] == order} == mine
            assert row["cents"] == sum(int(prices[sku]) * units for (_, sku), units in mine.items())
        else:
            assert row["cents"] == 123
        assert reduced[np.searchsorted(day.study.orders["order"], order)] >= row["cents"]
    assert by_lead > 3
    summary = day.study.summary
    assert summary["support"]["by_lead"] == by_lead
    assert summary["support"]["refund_cents"] == day.rows("goodwill_given")["cents"].sum()
    assert summary["refunds"]["cents"] > summary["support"]["refund_cents"], "what goes back by itself is beside it"


@pytest.mark.parametrize(
    "pricing",
    [
        "platform.pricing.promotion={share: 1, percent: 100, cap_cents: null, minimum_cents: 0}",
        "platform.pricing={tax_included: false, tax_share: 0.07, promotion: {share: 0.5, percent: 33.3, minimum_cents: 0}}",
    ],
)
def test_never_more_goes_back_than_was_paid(two_stores: Any, play: Any, pricing: str) -> None:
    day = lawful_day(play, two_stores(*WRONGED, desk(agents=9, goodwill_cents=100_000), pricing))
    orders = day.study.orders
    assert (orders["refunded_cents"] <= orders["charged_cents"]).all()
    answered = day.rows("contact_answered")
    assert (answered["cents"][answered["contact"] != Contact.WRONG] <= 100_000).all()
    assert len(answered) > 20


def test_while_the_platform_is_gone_agents_wait_for_it(two_stores: Any, play: Any) -> None:
    gone = "faults=[{kind: region_outage, at: '13:00', rto_h: 1.0, rpo_h: 0, dns_s: 0}]"
    day = lawful_day(play, two_stores(*WRONGED, desk(after_minutes=2), gone))
    answered = day.rows("contact_answered")["t_s"]
    began, ended = day.rows("fault_began")["t_s"][0], day.rows("fault_ended")["t_s"][0]
    assert not ((began < answered) & (answered < ended)).any()
    assert (answered > ended).sum() > 10


def test_a_line_is_given_back_for_once(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """Whoever asks again for the same units is refused, whatever the role."""
    close = SupportDesk.close
    tried: list[int] = []

    def again(self: Any, order: Any) -> None:
        tried.extend(
            self.make_good(order, [(sku, 1)], 0, 0, Role.ADMIN) for sku, units in self._kept[order].held if not units
        )
        close(self, order)

    monkeypatch.setattr(SupportDesk, "close", again)
    day = lawful_day(play, two_stores(*WRONGED, desk()))
    assert len(tried) > 5
    assert not any(tried)
    refused = day.rows("request_refused")
    assert (refused["refusal"] == Refusal.DUPLICATE).sum() >= len(tried)


def test_what_is_wrong_with_the_desk_is_said_in_one_line(two_stores: Any) -> None:
    for setting in ("support.agents=-1", "support.contact.late=1.5", "support.hours=never", "support.handle_s=0"):
        with pytest.raises(InputError, match=setting.partition("=")[0].replace(".", r"\.")):
            two_stores(setting)
