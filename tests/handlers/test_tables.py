"""The tables of the border are total: no refusal, exception or route is without its row."""

from __future__ import annotations

import re

import pytest

from engine.refusals import RETRYABLE, Refusal
from handlers.error_status import STATUSES
from handlers.refusal_status import REFUSALS, status_of_refusal
from handlers.routes import ROUTES, STREAM_ROUTES
from handlers.routing import ADMIN, BASE, HOLDER, PARKING_DESK, PUBLIC, RISK_DESK, SIGNED_IN
from server import errors
from server.errors import KerbError
from server.rate_limits import LimitClass


def all_errors(base: type[KerbError]) -> set[type[KerbError]]:
    return {base}.union(*(all_errors(child) for child in base.__subclasses__()))


def test_every_refusal_has_a_status_and_a_sentence() -> None:
    assert set(REFUSALS) == set(Refusal)
    for refusal, shown in REFUSALS.items():
        assert shown.status in (403, 404, 409, 422, 429, 503), refusal
        assert shown.message.endswith(".")
        assert (shown.status in (429, 503)) == (refusal in RETRYABLE), refusal


@pytest.mark.parametrize(
    ("refusal", "status", "status_in_path"),
    [
        (Refusal.UNKNOWN_SYMBOL, 422, 404),
        (Refusal.ORDER_NOT_FOUND, 404, 404),
        (Refusal.ORDER_NOT_OPEN, 409, 409),
        (Refusal.ACCOUNT_DISABLED, 403, 403),
        (Refusal.KILL_SWITCH_ON, 422, 422),
        (Refusal.IDEMPOTENCY_KEY_REUSED, 422, 422),
        (Refusal.IDEMPOTENCY_CAPACITY, 503, 503),
        (Refusal.ENGINE_FAULT, 422, 422),
        (Refusal.ORDER_RATE_LIMIT, 429, 429),
        (Refusal.INSUFFICIENT_FUNDS, 422, 422),
    ],
)
def test_the_statuses_that_clients_count_on(refusal: Refusal, status: int, status_in_path: int) -> None:
    assert status_of_refusal(refusal) == status
    assert status_of_refusal(refusal, in_path=True) == status_in_path


def test_every_exception_of_the_shell_has_a_status() -> None:
    ours = {error for error in all_errors(KerbError) if error.__module__ == errors.__name__}
    assert ours == set(STATUSES)


def test_an_error_code_means_one_status() -> None:
    statuses: dict[str, int] = {}
    for error, status in STATUSES.items():
        assert statuses.setdefault(error.code, status) == status or error is errors.RefusedAtBorder
        assert error.retryable == (status in (429, 503)), error


def test_every_route_has_a_policy_that_was_decided_on() -> None:
    """A new route must be put on one of these lists: this is where somebody thinks about who may call it."""
    public = {
        f"POST {BASE}/auth/register",
        f"POST {BASE}/auth/login",
        f"POST {BASE}/auth/refresh-token",
        f"POST {BASE}/auth/sessions",
        f"POST {BASE}/auth/forgot-password",
        f"POST {BASE}/auth/reset-password",
        f"POST {BASE}/parking/cameras/{{camera_id}}/reads",  # signed by the camera
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        f"GET {BASE}/errors",
        "GET /openapi.json",
        "GET /asyncapi.json",
        "GET /kerb.proto",
    }
    for route in ROUTES:
        if route.name in public or route.path.startswith(
            (f"{BASE}/stocks/", f"{BASE}/market/", f"{BASE}/parking/lots", "/docs")
        ):
            expected = PUBLIC
        elif route.path.startswith(f"{BASE}/admin/risk/") or route.path.endswith(("/link", "/kyc-tier")):
            expected = RISK_DESK
        elif route.path.startswith((f"{BASE}/admin/parking/", f"{BASE}/admin/reports/parking/")):
            expected = PARKING_DESK
        elif route.path.startswith(f"{BASE}/admin/"):
            expected = ADMIN
        elif route.path.startswith(f"{BASE}/auth/api-keys"):
            expected = HOLDER
        elif route.path.startswith((f"{BASE}/auth/", f"{BASE}/users/")):
            expected = SIGNED_IN
        else:
            expected = HOLDER
        assert route.policy == expected, route.name


def test_routes_are_unique_and_limited() -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
    for route in ROUTES:
        if route.path.startswith(BASE):
            assert route.limit is not LimitClass.NONE, route.name
        assert re.fullmatch(r"(/[a-z0-9{}_.-]+)+", route.path), route.path
    assert {stream.path for stream in STREAM_ROUTES} == {"/api/v1/ws", "/v1/ws"}
