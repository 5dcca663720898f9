"""Rules between settings, and what each mode refuses."""

from __future__ import annotations

import pytest

from config.checks import is_loopback
from config.loading import ConfigError, load_settings

OWN_SECRET = {"KERB_AUTH__JWT_SECRET": "correct-horse-battery-staple-0123456789"}
PUBLISHED = load_settings("test", None, {}).settings.auth.jwt_secret or ""


def problems_of(mode: str, environ: dict[str, str]) -> list[str]:
    try:
        load_settings(mode, None, environ)
    except ConfigError as error:
        return error.problems
    return []


def test_production_with_a_secret_of_its_own_is_accepted() -> None:
    assert problems_of("production", OWN_SECRET) == []


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({}, "auth.jwt_secret: production needs one"),
        ({"KERB_AUTH__JWT_SECRET": PUBLISHED}, "auth.jwt_secret: is published"),
        ({"KERB_AUTH__JWT_SECRET": "x" * 64}, "auth.jwt_secret: is published or guessable"),
        (OWN_SECRET | {"KERB_AUTH__BCRYPT_ROUNDS": "4"}, "auth.bcrypt_rounds = 4"),
        (OWN_SECRET | {"KERB_MARKET__FEED": "simulator"}, "market.feed = 'simulator'"),
        (OWN_SECRET | {"KERB_HTTP__CORS_ORIGINS": "*"}, "http.cors_origins = '*'"),
    ],
)
def test_production_refuses_what_belongs_to_a_demo(environ: dict[str, str], key: str) -> None:
    [problem] = problems_of("production", environ)
    assert problem.startswith(key)


@pytest.mark.parametrize("mode", ["demo", "test"])
@pytest.mark.parametrize("section", ["http", "gate"])
def test_paper_money_is_served_to_this_machine_only(mode: str, section: str) -> None:
    [problem] = problems_of(mode, {f"KERB_{section.upper()}__HOST": "0.0.0.0"})  # noqa: S104 - what must be refused
    assert problem.startswith(f"{section}.host = '0.0.0.0': {mode} mode serves this machine only")
    assert problems_of(mode, {f"KERB_{section.upper()}__HOST": "::1"}) == []


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"KERB_POSTGRES__POOL_MIN": "11"},
            "postgres.pool_max = 10: must be at least postgres.pool_min = 11",
        ),
        (
            {"KERB_STREAM__INTERVAL_MS": "50"},
            "stream.interval_ms = 50: must be at least stream.interval_min_ms = 100",
        ),
        (
            {"KERB_AUTH__REFRESH_TTL_S": "60"},
            "auth.refresh_ttl_s = 60: must be at least auth.access_ttl_s = 3600",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(environ: dict[str, str], problem: str) -> None:
    assert problems_of("demo", environ) == [problem]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_time_zone_that_is_not_there_is_named() -> None:
    [problem] = problems_of("test", {"KERB_VERIFY__ZONE": "Europe/Atlantis"})
    assert problem == "verify.zone = 'Europe/Atlantis': there is no such time zone"
