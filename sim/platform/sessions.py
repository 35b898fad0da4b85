"""Who is who, and who may do what. Access tokens live for minutes, refresh tokens rotate, guessing passwords locks an account.

Tokens that descend from one login are a *family*. Each refresh issues the next pair of the family; presenting a refresh
token that was used before means that somebody else has a copy, and the whole family is revoked (RFC 6819, 5.2.2.3;
RFC 9700, OAuth 2.0 Security Best Current Practice, 4.14.2). Nothing here waits: time is an argument and never goes back.
"""

from enum import IntEnum
from math import inf
from typing import Final, NamedTuple, Protocol

from sim.scenario.gateway import Auth
from sim.vocabulary import NOBODY, Role

# -- roles -------------------------------------------------------------------------------------------------------------


class Command(IntEnum):
    """What can be asked of the platform."""

    PLACE_ORDER = 0
    CANCEL_ORDER = 1
    SEE_ORDER = 2
    ANSWER_OFFER = 3
    PICK_UP = 4
    HAND_OVER = 5
    PICK = 6
    ADJUST_STOCK = 7
    REFUND = 8
    REVIEW_STOCK = 9
    """Adjust a record by more than a picker may."""
    REFUND_MORE = 10
    """Give back more of an order's price than a support agent may."""


_ALLOWED: Final[dict[Role, frozenset[Command]]] = {
    Role.CUSTOMER: frozenset({Command.PLACE_ORDER, Command.CANCEL_ORDER, Command.SEE_ORDER}),
    Role.DRIVER: frozenset({Command.SEE_ORDER, Command.ANSWER_OFFER, Command.PICK_UP, Command.HAND_OVER}),
    Role.PICKER: frozenset({Command.SEE_ORDER, Command.PICK, Command.ADJUST_STOCK}),
    Role.SUPPORT: frozenset({Command.CANCEL_ORDER, Command.SEE_ORDER, Command.REFUND}),
    Role.ADMIN: frozenset(Command),
    Role.STORE: frozenset({Command.SEE_ORDER, Command.PICK, Command.ADJUST_STOCK, Command.REVIEW_STOCK}),
}
_MAY: Final = tuple(tuple(command in _ALLOWED[role] for command in Command) for role in Role)
_CUSTOMER, _DRIVER, _PICKER, _STORE = Role.CUSTOMER, Role.DRIVER, Role.PICKER, Role.STORE
_ROLES = len(Role)


class Owned(Protocol):
    """An order, as far as it says whose it is (`sim.platform.orders.Order` does)."""

    @property
    def client(self) -> int: ...
    @property
    def driver(self) -> int:
        """To whom it was offered or given, NOBODY before."""

    @property
    def store(self) -> int: ...


def may(role: Role, command: Command) -> bool:
    """Whether a role may give a command at all."""
    return _MAY[role][command]


def owns(role: Role, actor: int, order: Owned, at_store: int = NOBODY) -> bool:
    """Whether an order is any of an actor's business.

    A customer's own, a driver's when it was offered or given to them, a picker's and a terminal's when it is of their store;
    support and admin see to all orders.
    """
    if role == _CUSTOMER:
        return actor == order.client
    if role == _DRIVER:
        return actor == order.driver and actor >= 0
    if role == _PICKER:
        return at_store == order.store
    if role == _STORE:
        return actor == order.store
    return True


def principal(role: Role, actor: int) -> int:
    """One number for a person: customers and drivers are both counted from zero."""
    return actor * _ROLES + role


# -- tokens -----------------------------------------------------------------------------------------------------------


class Verdict(IntEnum):
    """What the gateway says of a token."""

    OK = 0
    EXPIRED = 1
    REVOKED = 2
    UNKNOWN = 3


_OK, _EXPIRED, _REVOKED, _UNKNOWN = Verdict.OK, Verdict.EXPIRED, Verdict.REVOKED, Verdict.UNKNOWN


class Token(NamedTuple):
    """An access token and the refresh token issued with it; its claims are taken for signed."""

    client: int
    family: int
    serial: int
    """Its place in the family, from 1."""
    expires_s: float
    """When the access token ends."""


class _Family:
    """The tokens that descend from one login; the last one issued is the only one that may refresh."""

    __slots__ = ("access_until_s", "client", "issued_s", "number", "revoked", "serial")

    def __init__(self, client: int, number: int, issued_s: float, access_until_s: float) -> None:
        self.client, self.number = client, number
        self.serial, self.issued_s, self.access_until_s = 1, issued_s, access_until_s
        self.revoked = False


# (let in, extra round trips): made once, because every order asks.
_READY: Final = (True, 0)
_REFRESHED: Final = (True, 1)
_LOGGED_IN: Final = (True, 2)
_SUSPENDED: Final = (False, 1)
_LOCKED_OUT: Final = (False, 2)

_SWEEP_FROM = 4096


class Sessions:
    """Tokens of all accounts.

    A client who never asked costs nothing: until then, a refresh token last used `away_s` before the start counts.

    Attributes
    ----------
    guesses
        Wrong passwords that were looked at.
    turned_away
        Logins that were refused unread because the account was locked or suspended.
    reused
        Families revoked because a refresh token was presented twice.
    """

    def __init__(self, auth: Auth) -> None:
        self._on = auth.on
        self._token_s, self._refresh_s = auth.token_s, auth.refresh_s
        self._unseen_until_s = auth.refresh_s - auth.away_s
        self._failed_max, self._failed_window_s, self._lock_s = (
            auth.failed_logins_max,
            auth.failed_window_s,
            auth.lock_s,
        )
        self._families: dict[int, _Family] = {}
        self._own: dict[int, _Family] = {}  # of each client's own app
        # When the app of a client got the first pair of its family, of which nobody has seen a token: no family as yet.
        self._fresh: dict[int, float] = {}
        self._others: dict[int, list[_Family]] = {}  # of whoever else logged in with the client's password
        self._next = 0
        self._sweep_at = _SWEEP_FROM
        self._failed_s: dict[int, list[float]] = {}
        self._locked_until_s: dict[int, float] = {}
        self._locks_sweep_at = _SWEEP_FROM
        self._suspended: set[int] = set()
        self.guesses = self.turned_away = self.reused = 0

    def __len__(self) -> int:
        return len(self._families) + len(self._fresh)

    # -- honest clients ----------------------------------------------------------------------------------------------

    def session(self, client: int, now: float) -> tuple[bool, int]:
        """Whether a client's own app gets in, and the extra round trips it took: 0, 1 to refresh, 2 to log in again."""
        fresh_s = self._fresh.get(client)
        if fresh_s is not None and now < fresh_s + self._token_s:
            return _READY
        family = self._own.get(client) if fresh_s is None else self._family_of(client)
        if family is not None and now < family.access_until_s:
            return _READY
        if not self._on:
            return _READY
        if client in self._suspended:
            return _SUSPENDED
        if family is None:
            if now < self._unseen_until_s:
                if len(self) >= self._sweep_at:
                    self._sweep(now)
                self._fresh[client] = now
                return _REFRESHED
        elif not family.revoked and now < family.issued_s + self._refresh_s:
            self._issue(family, now)
            return _REFRESHED
        if self.locked(client, now):
            self.turned_away += 1
            return _LOCKED_OUT
        self._failed_s.pop(client, None)
        self._own[client] = self._open(client, now)
        return _LOGGED_IN

    def undo_login(self, client: int) -> None:
        """The password that `session` said an app has to give was not looked at: next time it has to be given again."""
        _revoke(self._own[client])

    def token(self, client: int) -> Token | None:
        """The token that a client's own app holds; None when it never asked."""
        family = self._family_of(client)
        return None if family is None else self._token(family)

    # -- any caller --------------------------------------------------------------------------------------------------

    def login(self, client: int, now: float, password_ok: bool) -> Token | None:
        """Somebody gives a client's name and a password; None when refused.

        While an account is locked the password is not looked at, so that guessing on tells nothing.
        """
        if client in self._suspended or self.locked(client, now):
            self.turned_away += 1
            return None
        if not password_ok:
            self.guesses += 1
            self._fail(client, now)
            return None
        self._failed_s.pop(client, None)
        family = self._open(client, now)
        self._others.setdefault(client, []).append(family)
        return self._token(family)

    def check(self, token: Token, now: float) -> Verdict:
        """Whether an access token is good."""
        family = self._families.get(token.family)
        if family is None:
            return _EXPIRED if 0 <= token.family < self._next else _UNKNOWN
        if family.client != token.client or not 0 < token.serial <= family.serial:
            return _UNKNOWN
        if family.revoked:
            return _REVOKED
        return _OK if now < token.expires_s else _EXPIRED

    def refresh(self, token: Token, now: float) -> tuple[Verdict, Token | None]:
        """Exchange a refresh token for the next pair; one that was used before revokes its family."""
        family = self._families.get(token.family)
        if family is None:
            return _EXPIRED if 0 <= token.family < self._next else _UNKNOWN, None
        if family.client != token.client or not 0 < token.serial <= family.serial:
            return _UNKNOWN, None
        if family.revoked:
            return _REVOKED, None
        if token.serial < family.serial:
            self.reused += 1
            _revoke(family)
            return _REVOKED, None
        if now >= family.issued_s + self._refresh_s:
            return _EXPIRED, None
        self._issue(family, now)
        return _OK, self._token(family)

    def locked(self, client: int, now: float) -> bool:
        """Whether an account refuses every password for now."""
        return now < self._locked_until_s.get(client, -inf)

    # -- the platform ------------------------------------------------------------------------------------------------

    def revoke(self, client: int, now: float) -> None:
        """End every session of a client at once (a stolen phone): whoever comes next has to log in."""
        own = self._family_of(client)
        if own is None:
            # The token from before the start must not count any longer.
            self._own[client] = own = self._open(client, now)
        _revoke(own)
        for family in self._others.get(client, ()):
            _revoke(family)

    def revoke_all(self) -> None:
        """No token counts any more, not even from before the start (a signing key leaked): everybody has to log in."""
        for family in self._families.values():
            _revoke(family)
        self._fresh.clear()  # nor is there any other way in for those
        self._unseen_until_s = -inf

    def suspend(self, client: int, now: float) -> None:
        """Close an account until further notice."""
        self._suspended.add(client)
        self.revoke(client, now)

    def restore(self, client: int) -> None:
        """Open a suspended account again."""
        self._suspended.discard(client)

    # -- families ----------------------------------------------------------------------------------------------------

    def _family_of(self, client: int) -> _Family | None:
        """The family of a client's own app; None when it never asked."""
        fresh_s = self._fresh.pop(client, None)
        if fresh_s is not None:
            self._own[client] = self._open(client, fresh_s)
        return self._own.get(client)

    def _open(self, client: int, now: float) -> _Family:
        if len(self) >= self._sweep_at:
            self._sweep(now)
        number, self._next = self._next, self._next + 1
        self._families[number] = family = _Family(client, number, now, now + self._token_s)
        return family

    def _issue(self, family: _Family, now: float) -> None:
        family.serial += 1
        family.issued_s = now
        family.access_until_s = now + self._token_s

    def _token(self, family: _Family) -> Token:
        return Token(family.client, family.number, family.serial, family.issued_s + self._token_s)

    def _sweep(self, now: float) -> None:
        # A family is dropped when its refresh token has run out: without it, its client is told the same as with it.
        # Done when the table has doubled, so that it costs a constant for every login.
        oldest_s = now - max(self._refresh_s, self._token_s)
        if oldest_s >= 0.0:  # else none of those issued since the start can have run out
            self._families = {number: family for number, family in self._families.items() if family.issued_s > oldest_s}
            self._own = {client: family for client, family in self._own.items() if family.issued_s > oldest_s}
            self._fresh = {client: issued_s for client, issued_s in self._fresh.items() if issued_s > oldest_s}
            kept = {c: [family for family in some if family.issued_s > oldest_s] for c, some in self._others.items()}
            self._others = {client: some for client, some in kept.items() if some}
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self))

    # -- account lockout ---------------------------------------------------------------------------------------------

    def _fail(self, client: int, now: float) -> None:
        if self._failed_max is None:
            return
        since_s = now - self._failed_window_s
        failed = [at_s for at_s in self._failed_s.get(client, ()) if at_s > since_s]
        failed.append(now)
        if len(failed) >= self._failed_max:
            self._failed_s.pop(client, None)
            self._locked_until_s[client] = now + self._lock_s
        else:
            self._failed_s[client] = failed
        if len(self._failed_s) + len(self._locked_until_s) >= self._locks_sweep_at:
            self._failed_s = {c: times for c, times in self._failed_s.items() if times[-1] > since_s}
            self._locked_until_s = {c: until_s for c, until_s in self._locked_until_s.items() if until_s > now}
            self._locks_sweep_at = max(_SWEEP_FROM, 2 * (len(self._failed_s) + len(self._locked_until_s)))


def _revoke(family: _Family) -> None:
    family.revoked = True
    family.access_until_s = -inf
