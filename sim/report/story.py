"""The story of one order, for a terminal and for programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from sim.reading.lateness import overrun, usual
from sim.reading.paths import said, ways_of
from sim.reading.run import FinishedRun
from sim.reading.stories import QUIET, Event, Teller, known_order, parameters, spell, stories_of
from sim.report.gist import gist
from sim.report.terminal import WIDTH, text_of
from sim.vocabulary import InputError, Trip


def told(run: FinishedRun, order: int | None = None, *, every: bool = False) -> dict[str, Any]:
    """All that is known of an order.

    Parameters
    ----------
    order
        Its number; None: the one that was latest.
    every
        Whether facts of shelves and books are told too.

    Returns
    -------
    dict
        ``order``; ``late_s`` (below zero: early), ``spent_s`` and ``late_by_s`` by cause of a delivered one, else None;
        ``gist``: how it ended if not at the door, what was missing of it, what went back, a sentence each;
        ``events``: time (seconds and clock), fact, sentence.

    Raises
    ------
    InputError
        There is no such order, or none was late.
    """
    ways = {way.order: way for way in ways_of(run)}
    if order is None:
        late = [way for way in ways.values() if way.late_s > 0.0]
        if not late:
            why = "none of its orders was late" if ways else "no order of it was delivered"
            raise InputError(f"{run.folder}: expected the number of an order, for {why}.")
        order = max(late, key=lambda way: (way.late_s, -way.order)).order
    known_order(run, order)
    teller, way = Teller(run), ways.get(order)
    shares = usual(list(ways.values()))
    whole = stories_of(run, [order])[order]
    events = [event for event in whole if every or event.kind not in QUIET]
    parts = {} if way is None or way.late_s <= 0.0 else overrun(way, shares)
    taken = {} if way is None else {**way.spent(), **{cause: 0.0 for cause in parts if cause not in way.spent()}}
    spent = None if way is None else {said(cause): round(seconds, 3) for cause, seconds in taken.items()}
    return {
        "order": order,
        "late_s": None if way is None else round(way.late_s, 3),
        "promised": None if way is None else teller.clock(way.promised_s),
        "delivered": None if way is None else teller.clock(way.delivered_s),
        "expected": None if way is None else _expected(teller, way.promised_s, events),
        "spent_s": spent,
        "late_by_s": {said(cause): round(parts[cause], 3) for cause in sorted(parts, key=lambda each: -parts[each])},
        "gist": gist(teller, whole),
        "events": [
            {
                "t_s": round(event.t_s, 3),
                "at": teller.clock(event.t_s),
                "fact": event.kind,
                "told": teller.sentence(event),
            }
            for event in events
        ],
    }


def _expected(teller: Teller, promised_s: float, events: list[Event]) -> str | None:
    """When an order was to be expected as it left the store; None where nobody knows."""
    for event in events:
        values = dict(zip(parameters(event.kind), event.values, strict=True))
        if event.kind == "leg_started" and values["trip"] in (Trip.TO_CUSTOMER, Trip.ONWARD):
            off_s = values["arrive_s"] - promised_s
            how = f"{spell(off_s)} after" if off_s > 0.0 else f"{spell(-off_s)} before"
            return f"As its driver set out for the door at {teller.clock(event.t_s)}, he was to be there {how} its promise."
    return None


def print_story(found: dict[str, Any], console: Console, run: str = "") -> None:
    """Print what `told` found, within 100 columns; `run` says of which run, where nobody asked for it by name."""
    if not console.is_terminal:
        console.width = WIDTH  # a pipe or a file has no width of its own
    plain, width = console.options.ascii_only, min(console.width, WIDTH)
    title = f"Order {found['order']}"
    if found["late_s"] is not None:
        how = (
            f"{spell(found['late_s'])} late" if found["late_s"] > 0.0 else f"{spell(-found['late_s'])} before its time"
        )
        title += f", promised for {found['promised']}, delivered at {found['delivered']}: {how}"
    if run:
        console.print(text_of(f"Run {run}", plain, "dim"), soft_wrap=True)
    console.print(text_of(title, plain, "bold"), width=width)
    for sentence in found["gist"]:
        console.print(text_of(f"{sentence[:1].upper()}{sentence[1:]}.", plain), width=width)
    if found["expected"]:
        console.print(text_of(found["expected"], plain), width=width)
    if found["spent_s"]:
        table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column("where its time went")
        table.add_column("spent", justify="right")
        table.add_column("made it late by" if found["late_by_s"] else "", justify="right")
        for cause, seconds in found["spent_s"].items():
            late = found["late_by_s"].get(cause)
            if seconds < 0.5 and abs(late or 0.0) < 0.5:
                continue  # neither anything to tell nor to make up for
            shown = "" if late is None else ("+" if late > 0 else "") + spell(late)
            table.add_row(
                text_of(cause, plain), spell(seconds), text_of(shown, plain, "bold red" if (late or 0) > 60 else "")
            )
        console.print(table, width=width)
    events = Table.grid(padding=(0, 2, 0, 0))
    for event in found["events"]:
        events.add_row(text_of(event["at"], plain, "dim"), text_of(event["told"], plain))
    console.print(events, width=width)
