"""Access in one place: what a route demands of its caller beyond the role, and whose the objects are that its path names.

A row of the route table says which roles may call (handlers/routes.py). From it follow, once, when the server is wired:
1. the scope that an API key needs: `scope_of`; None is for signed-in sessions only
2. for each `{name}` in the path, whose such objects are: `OBJECTS`. A name without a row is refused at wiring.
handlers/middleware.py applies both before the handler runs. In place of somebody else's object the handler is given the
id of one that does not exist, so whatever it answers, it cannot answer another thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from handlers.request_input import ID_MAX, read_id
from handlers.routing import HOLDER, PARKING_DESK, RISK_DESK
from server.errors import NotFound, ScopeMissing
from server.gate_stream import GATES
from server.live_values import PORTFOLIO
from server.principal import Principal, Role, Scope
from server.private_channels import BALANCE, BOOKINGS, NOTIFICATIONS, ORDERS, RISK
from server.rate_limits import LimitClass
from server.services import Services

if TYPE_CHECKING:
    from handlers.call import Call
    from handlers.routing import Route

_NAMES: Final = re.compile(r"\{(\w+)\}")
_BASE: Final = "/api/v1"
_OPERATORS: Final = f"{_BASE}/admin/"
_OPENS_GATES: Final = f"{_BASE}/parking/bookings/{{booking_id}}/pass"


class Ownership(Enum):
    """Whose the objects of a kind are."""

    SHARED = "everybody's, like an instrument"
    CALLER = "its owner's: whoever asks for another's is told that there is no such thing"
    OPERATED = "anybody's: the route is for operators, whose role is the permission"


IsMine = Callable[[Services, Principal, str], bool | None]
"""Whether an object is the caller's; None when memory does not know it. Raises NotFound for what is no id at all."""


class PathObject(Struct, frozen=True):
    """A kind of object that paths name. `is_mine` decides from memory; what it does not know, the query that has the
    owner as a parameter does (History, Sessions, ApiKeys, notifications: none of them finds a row without one).
    """

    ownership: Ownership
    is_mine: IsMine | None = None
    absent: str = ""
    """The id of one that does not exist."""


def _order_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    order = services.runtime.state.orders.get(read_id(text, "ord_"))
    return None if order is None else order.account_id == principal.account_id


def _withdrawal_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    if not text.startswith("wdr_"):
        return None
    withdrawal = services.runtime.state.withdrawals.get(read_id(text, "wdr_"))
    return None if withdrawal is None else withdrawal.account_id == principal.account_id


def _session_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    owner = services.auth.tokens.owner_of(read_id(text, "ses_"))
    return None if owner is None else owner == principal.user_id


def _key_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    owner = services.auth.api_keys.owner_of(read_id(text, "key_"))
    return None if owner is None else owner == principal.user_id


def _vehicle_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    vehicle = services.runtime.state.parking.vehicles.get(read_id(text, "veh_"))
    return None if vehicle is None else vehicle.account_id == principal.account_id


def _tag_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    tag = services.runtime.state.parking.tags.get(text)
    return None if tag is None else tag.account_id == principal.account_id


def _booking_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    booking = services.runtime.state.parking.bookings.get(read_id(text, "bkg_"))
    return None if booking is None else booking.account_id == principal.account_id


def _waiting_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    entry = services.runtime.state.parking.waiting.get(read_id(text, "wtg_"))
    return None if entry is None else entry.account_id == principal.account_id


def _pass_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    found = services.runtime.state.parking.passes.get(read_id(text, "pas_"))
    return None if found is None else found.account_id == principal.account_id


def _debt_is_mine(services: Services, principal: Principal, text: str) -> bool | None:
    """The account's own, or of a plate that is a vehicle's of it: no stranger is told what a plate owes."""
    parking = services.runtime.state.parking
    debt = parking.debts.get(read_id(text, "dbt_"))
    if debt is None:
        return None
    vehicle = parking.vehicles.get(parking.vehicle_of_plate.get(debt.plate, 0))
    owner_id = debt.account_id or (0 if vehicle is None else vehicle.account_id)
    return owner_id == principal.account_id


OBJECTS: Final[dict[str, PathObject]] = {
    "symbol": PathObject(Ownership.SHARED),
    "order_id": PathObject(Ownership.CALLER, _order_is_mine, f"ord_{ID_MAX}"),
    "transaction_id": PathObject(Ownership.CALLER, _withdrawal_is_mine, f"wdr_{ID_MAX}"),
    "session_id": PathObject(Ownership.CALLER, _session_is_mine, f"ses_{ID_MAX}"),
    "key_id": PathObject(Ownership.CALLER, _key_is_mine, f"key_{ID_MAX}"),
    "notification_id": PathObject(Ownership.CALLER),
    "lot_id": PathObject(Ownership.SHARED),
    "vehicle_id": PathObject(Ownership.CALLER, _vehicle_is_mine, f"veh_{ID_MAX}"),
    "tag": PathObject(Ownership.CALLER, _tag_is_mine, "-"),
    "booking_id": PathObject(Ownership.CALLER, _booking_is_mine, f"bkg_{ID_MAX}"),
    "waiting_id": PathObject(Ownership.CALLER, _waiting_is_mine, f"wtg_{ID_MAX}"),
    "pass_id": PathObject(Ownership.CALLER, _pass_is_mine, f"pas_{ID_MAX}"),
    "debt_id": PathObject(Ownership.CALLER, _debt_is_mine, f"dbt_{ID_MAX}"),
    "ticket_id": PathObject(Ownership.SHARED),
    "camera_id": PathObject(Ownership.SHARED),
}
"""The `{name}` of a path → whose such objects are. Below /admin all of them are OPERATED."""


class UndecidedAccess(Exception):
    """A route of the table names objects of which nobody has decided whose they are, or mixes operators and clients."""


class Access(Struct, frozen=True):
    """What a route demands. `scope` is that of an API key, None where only a session will do."""

    roles: frozenset[Role]
    scope: Scope | None
    ownership: Ownership | None
    """None for a path that names no object; of several objects, the strictest."""
    owned: tuple[tuple[str, PathObject], ...] = ()

    def hide_others(self, call: Call) -> None:
        """Put ids of nothing in the place of those that the caller may not know of."""
        for name, kind in self.owned:
            if kind.is_mine is None:
                continue
            try:
                mine = kind.is_mine(call.services, call.principal, call.path(name))
            except NotFound:  # no id at all: the handler says so
                continue
            if mine is False:
                call.hide(name, kind.absent)


def access_of(route: Route) -> Access:
    """What a row of the table demands. Raises UndecidedAccess."""
    names = _NAMES.findall(route.path)
    scope = scope_of(route.method, route.path, route.limit)
    if route.path.startswith(_OPERATORS):
        if not route.policy or not route.policy.isdisjoint({Role.TRADER, Role.MARKET_MAKER}):
            raise UndecidedAccess(f"{route.method} {route.path}: is below /admin and open to clients")
        return Access(route.policy, scope, Ownership.OPERATED if names else None)
    unknown = [name for name in names if name not in OBJECTS]
    if unknown:
        raise UndecidedAccess(
            f"{route.method} {route.path}: whose is {unknown[0]}? Give it a row in handlers/access.py OBJECTS"
        )
    owned = tuple((name, OBJECTS[name]) for name in names if OBJECTS[name].ownership is Ownership.CALLER)
    if owned and not route.policy:
        raise UndecidedAccess(f"{route.method} {route.path}: names an owner's object and is open to anybody")
    shared = Ownership.SHARED if names else None
    return Access(route.policy, scope, Ownership.CALLER if owned else shared, owned)


@cache
def scope_of(method: str, path: str, limit: LimitClass) -> Scope | None:
    """The scope that an API key needs; None where no key is enough: credentials, profile, operators, paying in,
    and what opens a gate.
    """
    if path.startswith((f"{_BASE}/auth/", _OPERATORS, _OPENS_GATES)):
        return None
    if method in ("GET", "HEAD"):
        return Scope.READ
    if path.startswith(f"{_BASE}/wallet/withdraw"):
        return Scope.WITHDRAW
    if limit is LimitClass.ORDERS or path.startswith((f"{_BASE}/orders", "/v1/orders", "/trade/")):
        return Scope.TRADE
    return None


CHANNEL_POLICIES: Final[dict[str, frozenset[Role]]] = {
    ORDERS: HOLDER,
    BALANCE: HOLDER,
    NOTIFICATIONS: HOLDER,
    PORTFOLIO: HOLDER,
    RISK: RISK_DESK,
    BOOKINGS: HOLDER,
    GATES: PARKING_DESK,
}
"""Channel of the WebSocket that is not everybody's → the roles of which a client needs one. The others are public."""


def require_scope(principal: Principal, scope: Scope | None) -> None:
    """Raises ScopeMissing for an API key that does not have the scope. A session has all of them."""
    if principal.scopes is not None and (scope is None or scope not in principal.scopes):
        raise ScopeMissing(scope)
