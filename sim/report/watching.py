"""What is shown of a run or an experiment under way: a live panel on a terminal, a line now and then anywhere else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from sim.report.terminal import WIDTH, text_of
from sim.report.words import local_time, number
from sim.scenario.tree import parse_start

_PLACES: Final = {
    "checkout": "at checkout", "waiting_pick": "waiting for a picker", "being_picked": "being picked",
    "waiting_driver": "waiting for a driver", "riding": "on the way",
}  # fmt: skip


def word_line(word: Mapping[str, Any]) -> str:
    """What a run or an experiment said of itself last, in one line of plain text."""
    if "experiment" in word:
        return "; ".join(_experiment(word))
    parts = [f"{word['scenario']} seed {word['seed']}", _phase(word)]
    if "now_s" in word and word["phase"] == "simulating":
        parts.append(f"{100.0 * word['now_s'] / word['end_s']:.0f} %")
        orders = word["orders"]
        if orders["entered"]:
            here = ", ".join(f"{orders[name]:,} {label}" for name, label in _PLACES.items() if orders[name])
            parts.append(
                f"{orders['entered']:,} orders ({number(word['orders_per_s'])} a second), {orders['delivered']:,} delivered"
            )
            parts.append(here or "none open")
        else:
            parts.append(f"{word['facts']:,} facts")
    return "; ".join(parts)


def _experiment(word: Mapping[str, Any]) -> list[str]:
    """Which experiment, how many runs there have been, how long those that are left will take, what is being tried."""
    done, total, per_s = word["done"], word["total"], word.get("per_s", 0.0)
    counted = f"{done:,} of {total:,} {word['unit']}" if total else f"{done:,} {word['unit']}"
    parts = [f"{word['scenario']} seed {word['seed']}", word["experiment"], counted]
    if per_s > 0.0:
        parts.append(f"{number(60.0 * per_s, 1)} a minute")
        if total and total > done and word["unit"] == "runs":
            parts.append(f"{timedelta(seconds=round((total - done) / per_s))} left")
    return parts + ([word["note"]] if word["note"] else [])


def _phase(word: Mapping[str, Any]) -> str:
    if word["phase"] == "replicating":
        most = word["replications"]
        return f"{word['done']} {f'of {most} ' if most else ''}replications done"
    if word["phase"] != "simulating" or "now_s" not in word:
        return "beginning" if word["phase"] == "simulating" else str(word["phase"])
    first = word["replications"] != 1
    return f"{_clock(word)}{', first replication' if first else ''}"


def _clock(word: Mapping[str, Any]) -> str:
    """The simulated clock: day and time, or days gone in a run of goods only."""
    try:
        return f"{local_time(parse_start(str(word['start'])), word['now_s']):%a %H:%M}"
    except ValueError:
        return str(timedelta(seconds=int(word["now_s"])))


def word_panel(word: Mapping[str, Any], plain: bool, width: int) -> RenderableType:
    """The same for a terminal: a bar, and where the orders of a run are."""
    if "experiment" in word:
        first, *rest = _experiment(word)
        lines: list[RenderableType] = [
            text_of(f"{first} · {rest[0]}", plain, "bold"),
            *_bar(_share(word), plain, width),
        ]
        return Group(*lines, text_of(" · ".join(rest[1:]), plain))
    head = text_of(f"{word['scenario']} · seed {word['seed']} · {_phase(word)}", plain, "bold")
    parts: list[RenderableType] = [head, *_bar(_share(word), plain, width)]
    orders = word.get("orders")
    if orders is not None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 1), pad_edge=False)
        table.add_column("")
        table.add_column("", justify="right")
        rows = [
            ("orders placed", orders["entered"]),
            ("delivered", orders["delivered"]),
            ("cancelled or unpaid", orders["lost"]),
        ]
        rows += [(label, orders[name]) for name, label in _PLACES.items()]
        for label, count in rows if orders["entered"] or word["mode"] == "full" else [("facts", word["facts"])]:
            table.add_row(text_of(label, plain), text_of(number(count), plain))
        if orders["entered"]:
            table.add_row(text_of("orders a second", plain, "dim"), text_of(number(word["orders_per_s"]), plain, "dim"))
        parts.append(table)
    return Group(*parts)


def _bar(share: float | None, plain: bool, width: int) -> list[RenderableType]:
    if share is None:
        return []
    width = min(width, WIDTH)
    full = round(share * width)
    return [text_of("█" * full + "·" * (width - full), plain, "cyan")]


def _share(word: Mapping[str, Any]) -> float | None:
    if "experiment" in word:
        return word["done"] / word["total"] if word["total"] else None
    if word["phase"] == "replicating":
        return word["done"] / word["replications"] if word["replications"] else None
    if "now_s" not in word:
        return None
    return 1.0 if word["phase"] != "simulating" else float(word["now_s"] / word["end_s"])
