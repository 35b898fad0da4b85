"""Who is signed in, whom the gateway turns away, and who may do what."""

from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.platform.sessions import Command, Sessions, Token, Verdict, may, owns, principal
from sim.scenario.gateway import Auth
from sim.vocabulary import NOBODY, Role


def signed_in(sessions: Sessions, client: int, now: float) -> Token:
    token = sessions.login(client, now, True)
    assert token is not None
    return token


def refreshed(sessions: Sessions, token: Token, now: float) -> Token:
    verdict, fresh = sessions.refresh(token, now)
    assert verdict is Verdict.OK
    assert fresh is not None
    return fresh


# -- tokens ------------------------------------------------------------------------------------------------------------


@given(life=st.integers(900, 1800), start=st.integers(0, 10**5), after=st.integers(0, 4000))
def test_an_access_token_is_good_until_it_expires_and_never_after(life: int, start: int, after: int) -> None:
    sessions = Sessions(Auth(token_s=float(life)))
    token = signed_in(sessions, 7, float(start))
    expected = Verdict.OK if after < life else Verdict.EXPIRED
    assert sessions.check(token, float(start + after)) is expected


def test_a_token_nobody_issued_is_unknown() -> None:
    sessions = Sessions(Auth())
    token = signed_in(sessions, 7, 0.0)
    forged = [
        token._replace(client=8),
        token._replace(family=token.family + 1),
        token._replace(serial=2),
        token._replace(serial=0),
        token._replace(family=-1),
    ]
    for other in forged:
        assert sessions.check(other, 1.0) is Verdict.UNKNOWN
        assert sessions.refresh(other, 1.0) == (Verdict.UNKNOWN, None)
    assert sessions.check(token, 1.0) is Verdict.OK


def test_a_refresh_rotates_the_token_and_leaves_the_old_access_token_its_life() -> None:
    sessions = Sessions(Auth(token_s=1200.0))
    first = signed_in(sessions, 7, 0.0)
    second = refreshed(sessions, first, 1000.0)
    assert second.serial == first.serial + 1
    assert second.expires_s == 2200.0
    assert [sessions.check(token, 1100.0) for token in (first, second)] == [Verdict.OK, Verdict.OK]
    assert [sessions.check(token, 1200.0) for token in (first, second)] == [Verdict.EXPIRED, Verdict.OK]


@given(rotations=st.integers(1, 6), data=st.data())
def test_using_a_refresh_token_twice_revokes_its_whole_family_and_no_other(rotations: int, data: Any) -> None:
    sessions = Sessions(Auth())
    family, other = [signed_in(sessions, 7, 0.0)], signed_in(sessions, 7, 0.0)
    for step in range(rotations):
        family.append(refreshed(sessions, family[-1], float(step)))
    stolen = data.draw(st.sampled_from(family[:-1]))
    assert sessions.refresh(stolen, 10.0) == (Verdict.REVOKED, None)
    assert sessions.reused == 1
    for token in family:
        assert sessions.check(token, 11.0) is Verdict.REVOKED
        assert sessions.refresh(token, 11.0) == (Verdict.REVOKED, None)
    assert sessions.reused == 1  # a family is revoked once
    assert sessions.check(other, 11.0) is Verdict.OK


def test_a_refresh_token_lives_as_long_as_it_is_used() -> None:
    sessions = Sessions(Auth(refresh_s=10_000.0))
    token = signed_in(sessions, 7, 0.0)
    for now in (9_999.0, 19_998.0, 29_997.0):
        token = refreshed(sessions, token, now)
    assert sessions.refresh(token, 39_997.0) == (Verdict.EXPIRED, None)


def test_a_revoked_client_is_refused_everywhere_at_once() -> None:
    sessions = Sessions(Auth())
    assert sessions.session(7, 0.0) == (True, 1)
    phone, tablet, stranger = sessions.token(7), signed_in(sessions, 7, 0.0), signed_in(sessions, 8, 0.0)
    assert phone is not None
    sessions.revoke(7, 1.0)
    assert [sessions.check(token, 1.0) for token in (phone, tablet)] == [Verdict.REVOKED, Verdict.REVOKED]
    assert sessions.check(stranger, 1.0) is Verdict.OK
    assert sessions.session(7, 1.0) == (True, 2)
    assert sessions.session(7, 2.0) == (True, 0)


def test_when_all_tokens_are_revoked_everybody_logs_in_once_more() -> None:
    sessions = Sessions(Auth())
    assert sessions.session(7, 0.0) == (True, 1)
    phone, tablet = sessions.token(7), signed_in(sessions, 7, 0.0)
    assert phone is not None
    sessions.revoke_all()
    assert [sessions.check(token, 1.0) for token in (phone, tablet)] == [Verdict.REVOKED, Verdict.REVOKED]
    # Who was not seen yet has a token from before the start, which is revoked as well.
    assert [sessions.session(client, 1.0) for client in (7, 8)] == [(True, 2), (True, 2)]
    assert [sessions.session(client, 2.0) for client in (7, 8)] == [(True, 0), (True, 0)]


def test_a_login_that_came_to_nothing_has_to_be_made_again() -> None:
    sessions = Sessions(Auth())
    sessions.revoke_all()
    assert sessions.session(7, 1.0) == (True, 2)
    sessions.undo_login(7)
    assert sessions.session(7, 2.0) == (True, 2)
    assert sessions.session(7, 3.0) == (True, 0)


# -- the fast path -----------------------------------------------------------------------------------------------------


def test_an_app_pays_one_trip_to_refresh_and_two_to_log_in() -> None:
    sessions = Sessions(Auth(token_s=1200.0, refresh_s=10_000.0, away_s=5_000.0))
    trips = [(now, sessions.session(7, now)) for now in (0.0, 1199.0, 1200.0, 2399.0, 12_399.0, 12_400.0)]
    assert trips == [
        (0.0, (True, 1)),  # not seen before: last active 5,000 s before the start
        (1199.0, (True, 0)),
        (1200.0, (True, 1)),
        (2399.0, (True, 0)),
        (12_399.0, (True, 2)),
        (12_400.0, (True, 0)),
    ]
    assert sessions.session(8, 4_999.0) == (True, 1)
    assert sessions.session(9, 5_000.0) == (True, 2)


def test_without_authentication_nobody_pays_and_nothing_is_kept() -> None:
    sessions = Sessions(Auth(on=False))
    assert [sessions.session(client, 1e6) for client in range(50)] == [(True, 0)] * 50
    assert len(sessions) == 0


def test_a_client_who_never_asked_costs_nothing_and_expired_sessions_are_dropped() -> None:
    sessions = Sessions(Auth(refresh_s=2000.0, away_s=0.0))
    assert len(sessions) == 0
    for client in range(60_000):
        sessions.session(client, float(client))
    assert len(sessions) < 3 * 4096  # 2,000 of them can still be refreshed


@pytest.mark.parametrize("seed", range(5))
def test_dropping_sessions_is_invisible(seed: int) -> None:
    """Whether and when expired sessions are swept away changes nobody's way in."""
    swept, kept = (Sessions(Auth(refresh_s=3000.0, away_s=1000.0)) for _ in range(2))
    kept._sweep_at = 10**9
    luck, now, answers = Random(seed), 0.0, set()
    for step in range(6000):
        swept._sweep_at = 0
        now += luck.random() * 20
        client = luck.randrange(300)
        if step % 31 == 0:
            swept.revoke(client, now)
            kept.revoke(client, now)
        answer = kept.session(client, now)
        assert swept.session(client, now) == answer
        answers.add(answer)
    assert answers == {(True, 0), (True, 1), (True, 2)}
    assert len(swept) < len(kept)


def test_a_token_stays_good_for_its_life_whatever_is_swept() -> None:
    sessions = Sessions(Auth(refresh_s=3000.0))
    first, last = signed_in(sessions, 7, 0.0), signed_in(sessions, 7, 2999.0)
    for client in range(10_000):
        sessions.login(client, 2999.0, True)
    assert sessions.refresh(first, 2999.0)[0] is Verdict.OK
    sessions._sweep_at = 0
    signed_in(sessions, 8, 5998.0)
    assert sessions.refresh(last, 5998.0)[0] is Verdict.OK
    assert sessions.check(first, 5998.0) is Verdict.EXPIRED
    sessions.revoke(7, 5998.0)
    assert sessions.check(last, 5998.0) is Verdict.REVOKED


def test_a_thief_who_refreshes_first_is_found_when_the_owner_does() -> None:
    sessions = Sessions(Auth())
    sessions.session(7, 0.0)
    copy = sessions.token(7)
    assert copy is not None
    sessions.session(7, 1300.0)  # the owner refreshed: the copy is an old one now
    assert sessions.refresh(copy, 1400.0) == (Verdict.REVOKED, None)
    assert sessions.session(7, 1401.0) == (True, 2)


# -- account lockout ---------------------------------------------------------------------------------------------------


@given(
    gaps=st.lists(st.sampled_from([0.0, 1.0, 30.0, 99.0, 400.0]), min_size=1, max_size=200),
    most=st.integers(1, 6),
    window=st.sampled_from([50.0, 300.0]),
    lock=st.sampled_from([50.0, 300.0]),
)
def test_lockout_bounds_the_guesses_anybody_gets(gaps: list[float], most: int, window: float, lock: float) -> None:
    """In any t seconds at most `most` guesses are looked at for each min(window, lock) begun, and as many before."""
    sessions = Sessions(Auth(failed_logins_max=most, failed_window_s=window, lock_s=lock))
    now, looked_at = 0.0, []
    for gap in gaps:
        now += gap
        before = sessions.guesses
        sessions.login(7, now, False)
        if sessions.guesses > before:
            looked_at.append(now)
    period = min(window, lock)
    for first, start in enumerate(looked_at):
        for last in range(first, len(looked_at)):
            assert last - first + 1 <= most * ((looked_at[last] - start) // period + 2)
    assert sessions.guesses + sessions.turned_away == len(gaps)


def test_a_locked_account_refuses_the_right_password_too_until_the_lock_ends() -> None:
    sessions = Sessions(Auth(failed_logins_max=3, failed_window_s=60.0, lock_s=300.0))
    for now in (0.0, 10.0, 20.0):
        assert not sessions.locked(7, now)
        assert sessions.login(7, now, False) is None
    assert sessions.locked(7, 20.0)
    assert sessions.login(7, 319.0, True) is None
    assert sessions.login(8, 319.0, True) is not None
    assert sessions.login(7, 320.0, True) is not None
    assert (sessions.guesses, sessions.turned_away) == (3, 1)


def test_failures_are_forgotten_after_the_window_and_after_a_success() -> None:
    sessions = Sessions(Auth(failed_logins_max=3, failed_window_s=60.0))
    for now in (0.0, 10.0, 60.0, 70.0):  # never three within a minute
        sessions.login(7, now, False)
    assert not sessions.locked(7, 70.0)
    signed_in(sessions, 7, 71.0)
    sessions.login(7, 72.0, False)
    sessions.login(7, 73.0, False)
    assert not sessions.locked(7, 73.0)
    sessions.login(7, 74.0, False)
    assert sessions.locked(7, 74.0)


def test_an_owner_who_logs_in_clears_the_failures() -> None:
    sessions = Sessions(Auth(failed_logins_max=3, away_s=3000.0, refresh_s=2000.0))
    for now in (0.0, 1.0):
        sessions.login(7, now, False)
    assert sessions.session(7, 2.0) == (True, 2)
    for now in (3.0, 4.0):
        sessions.login(7, now, False)
    assert not sessions.locked(7, 4.0)


def test_without_lockout_every_guess_is_looked_at() -> None:
    sessions = Sessions(Auth(failed_logins_max=None))
    for guess in range(1000):
        sessions.login(7, float(guess), False)
    assert sessions.guesses == 1000
    assert sessions.login(7, 1000.0, True) is not None


def test_a_lock_keeps_out_the_owner_who_must_log_in_but_not_one_who_is_signed_in() -> None:
    sessions = Sessions(Auth(failed_logins_max=1, lock_s=900.0, away_s=3000.0, refresh_s=2000.0))
    sessions.session(8, 0.0)
    for client in (7, 8):
        sessions.login(client, 1.0, False)
    assert sessions.session(7, 2.0) == (False, 2)
    assert sessions.session(8, 2.0) == (True, 0)
    assert sessions.session(7, 901.0) == (True, 2)


def test_attacks_on_many_accounts_leave_no_memory_behind() -> None:
    sessions = Sessions(Auth(failed_logins_max=2, failed_window_s=100.0, lock_s=100.0))
    for step in range(40_000):
        sessions.login(step // 3, step * 1.0, False)
    assert len(sessions._failed_s) + len(sessions._locked_until_s) <= 4096


def test_a_suspended_account_is_refused_until_it_is_restored() -> None:
    sessions = Sessions(Auth())
    token = signed_in(sessions, 7, 0.0)
    sessions.suspend(7, 1.0)
    assert sessions.check(token, 1.0) is Verdict.REVOKED
    assert sessions.login(7, 1.0, True) is None
    assert sessions.session(7, 1.0) == (False, 1)
    sessions.restore(7)
    assert sessions.session(7, 2.0) == (True, 2)


def test_a_token_life_outside_published_practice_is_refused() -> None:
    for life in (899.0, 1801.0):
        with pytest.raises(ValidationError, match="token_s"):
            Auth(token_s=life)


# -- roles -------------------------------------------------------------------------------------------------------------

TABLE = """
                 customer driver picker support admin store
PLACE_ORDER      yes      -      -      -       yes   -
CANCEL_ORDER     yes      -      -      yes     yes   -
SEE_ORDER        yes      yes    yes    yes     yes   yes
ANSWER_OFFER     -        yes    -      -       yes   -
PICK_UP          -        yes    -      -       yes   -
HAND_OVER        -        yes    -      -       yes   -
PICK             -        -      yes    -       yes   yes
ADJUST_STOCK     -        -      yes    -       yes   yes
REFUND           -        -      -      yes     yes   -
REVIEW_STOCK     -        -      -      -       yes   yes
REFUND_MORE      -        -      -      -       yes   -
"""


def test_each_role_may_do_its_own_work_and_no_more() -> None:
    roles, *rows = (line.split() for line in TABLE.strip().splitlines())
    assert [row[0] for row in rows] == [command.name for command in Command]
    for name, *cells in rows:
        for role, cell in zip(roles, cells, strict=True):
            assert may(Role[role.upper()], Command[name]) == (cell == "yes"), (role, name)


class AnOrder(NamedTuple):
    client: int
    driver: int
    store: int


@given(order=st.builds(AnOrder, *[st.integers(0, 4)] * 3), actor=st.integers(0, 4), store=st.integers(-1, 4))
def test_people_act_only_on_orders_that_are_theirs(order: AnOrder, actor: int, store: int) -> None:
    assert owns(Role.CUSTOMER, actor, order) == (actor == order.client)
    assert owns(Role.DRIVER, actor, order) == (actor == order.driver)
    assert owns(Role.PICKER, actor, order, store) == (store == order.store)
    assert owns(Role.SUPPORT, actor, order)
    assert owns(Role.ADMIN, actor, order)


def test_an_order_without_a_driver_is_no_drivers() -> None:
    waiting = AnOrder(client=1, driver=NOBODY, store=0)
    assert not any(owns(Role.DRIVER, driver, waiting) for driver in (NOBODY, 0, 1))


@given(st.lists(st.tuples(st.sampled_from(Role), st.integers(0, 100)), unique=True))
def test_no_two_people_share_a_number(people: list[tuple[Role, int]]) -> None:
    assert len({principal(*person) for person in people}) == len(people)
