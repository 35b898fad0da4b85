"""The log: packed rows, listeners, and a digest that does not hang on flushing."""

import random
from typing import Any

import numpy as np
import pytest

from sim.facts import SIGNATURES, Facts
from sim.recording import Log, MemoryArchive, digest_of
from sim.recording.schema import ENUMS, KINDS, from_table, row_dtype, row_struct, to_table


class Clock:
    now = 0.0


@pytest.mark.parametrize("every", [1, 7, 10**9])
def test_the_digest_does_not_hang_on_when_it_was_flushed(every: int) -> None:
    clock, archive = Clock(), MemoryArchive()
    log = Log(clock)
    for number in range(300):
        clock.now = number * 0.5
        if number % 3:
            log.order_moved(order=number, state=number % 9)  # type: ignore[arg-type]
        else:
            log.payment_captured(order=number, cents=number * 10**10)  # type: ignore[arg-type]
        if number % every == 0:
            log.flush(archive)
    log.flush(archive)
    log.flush(archive)
    assert log.count == 300
    once = Log(clock)
    for number in range(300):
        clock.now = number * 0.5
        if number % 3:
            once.order_moved(order=number, state=number % 9)  # type: ignore[arg-type]
        else:
            once.payment_captured(order=number, cents=number * 10**10)  # type: ignore[arg-type]
    once.flush(MemoryArchive())
    assert once.digest.hexdigest() == log.digest.hexdigest() == digest_of(archive)
    assert archive.rows("payment_captured")["cents"].max() == 297 * 10**10


def test_the_digest_sees_the_order_of_facts() -> None:
    digests = set()
    for turn in (False, True):
        log = Log(Clock())
        values: dict[str, Any] = {"driver": 1} if turn else {"picker": 1}
        getattr(log, "driver_off" if turn else "picker_off")(**values)
        values = {"picker": 1} if turn else {"driver": 1}
        getattr(log, "picker_off" if turn else "driver_off")(**values)
        log.flush(MemoryArchive())
        digests.add(log.digest.hexdigest())
    assert len(digests) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_survives_the_way_to_disk_and_back(kind: str) -> None:
    chance = random.Random(kind)
    layout = row_struct(kind)
    rows = np.frombuffer(
        b"".join(
            layout.pack(chance.random() * 1e5, *(_value(chance, letter) for letter in layout.format[2:]))
            for _ in range(5)
        ),
        dtype=row_dtype(kind),
    )
    back = from_table(to_table(kind, np.arange(5), rows), rows.dtype)
    assert back.tobytes() == rows.tobytes()


def _value(chance: random.Random, letter: str) -> Any:
    if letter == "d":
        return chance.random()
    low, high = {"?": (0, 2), "b": (0, 2), "q": (-(2**60), 2**60), "i": (-(2**31), 2**31)}[letter]
    return chance.randrange(low, high)


def test_the_base_class_records_nothing_and_the_log_knows_every_fact() -> None:
    log, nobody = Log(Clock()), Facts()
    for kind, parameters in SIGNATURES.items():
        values = dict.fromkeys(parameters, 0)
        getattr(nobody, kind)(**values)
        getattr(log, kind)(**values)
        with pytest.raises(TypeError):
            getattr(log, kind)(**values, something=1)
    archive = MemoryArchive()
    log.flush(archive)
    assert log.count == len(SIGNATURES)
    assert [len(archive.rows(kind)) for kind in KINDS] == [1] * len(KINDS)


def test_listeners_hear_their_facts_with_time_and_values() -> None:
    heard: list[Any] = []

    class Ear:
        def driver_off(self, t_s: float, driver: int) -> None:
            heard.append((t_s, driver))

    clock = Clock()
    log = Log(clock, [Ear(), object()])
    clock.now = 12.5
    log.driver_off(driver=3)  # type: ignore[arg-type]
    log.picker_off(picker=4)  # type: ignore[arg-type]
    assert heard == [(12.5, 3)]


def test_words_are_numbered_in_their_order():
    """On disk a word is its place in the list of words, so its number must be that place."""
    for enum in ENUMS.values():
        assert [int(member) for member in enum] == list(range(len(enum))), enum
