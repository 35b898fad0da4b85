"""The scenario's support desk: customers who were wronged write to it, and people answer."""

from typing import Annotated

from pydantic import Field

from sim.scenario.fields import DAY_S, JUDGEMENT, AboveZero, Branch, Count, NonNegative, Share, Window, given

Minutes = Annotated[NonNegative, Field(le=DAY_S / 60.0)]
Cents = Annotated[Count, Field(le=10_000_000)]


class Contacts(Branch):
    """Of the customers who were wronged, how many write; of several reasons wrong goods come first and lateness last."""

    late: Share = given(0.1, JUDGEMENT, "share of those who were served late")
    missing: Share = given(
        0.05, "judgement: what was missing has been refunded", "share of those who got less than ordered"
    )
    wrong: Share = given(
        0.7, "judgement: they paid for what they did not get", "share of those who found something else in the bag"
    )


class Support(Branch):
    """People who answer customers, and what they may give."""

    agents: Annotated[Count, Field(le=1000)] = given(
        0, "-", "people at the desk in its hours; 0: there is none, and nobody writes"
    )
    hours: Window = given(
        "07:00-24:00",
        JUDGEMENT,
        "when they work, every day (the same time twice: all day); who writes at other times waits",
    )
    handle_s: Annotated[AboveZero, Field(le=DAY_S)] = given(
        300.0,
        JUDGEMENT,
        "mean time to read, look the order up and answer, seconds (exponential, as in Erlang's formula)",
    )
    contact: Contacts = given(Contacts, "-", "who writes")
    after_minutes: Minutes = given(
        15.0, JUDGEMENT, "mean time from the handover until the customer writes, minutes (exponential)"
    )
    late_minutes: Minutes = given(5.0, JUDGEMENT, "nobody takes so much more than was promised for late, minutes")
    goodwill_cents: Cents = given(
        290,
        "judgement: a delivery fee",
        "given for a late or incomplete order; for wrong goods, what was paid for them",
    )
    refund_max_cents: Cents = given(
        2000, JUDGEMENT, "what an agent may give back of an order; more needs a lead, whose role is the administrator's"
    )
    lead_minutes: Minutes = given(3.0, JUDGEMENT, "how much longer it takes when a lead has to say yes, minutes")
