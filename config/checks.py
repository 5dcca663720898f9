"""Rules between settings: what one value demands of another, and what each mode refuses."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Set
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.settings import Mode, Settings

# (greater key, lesser key): the first must not be below the second.
_ORDERED: tuple[tuple[str, str], ...] = (
    ("postgres.pool_max", "postgres.pool_min"),
    ("postgres.connections_max", "postgres.pool_max"),
    ("write_behind.backlog_hard_bytes", "write_behind.backlog_soft_bytes"),
    ("auth.refresh_ttl_s", "auth.access_ttl_s"),
    ("stream.interval_ms", "stream.interval_min_ms"),
    ("stream.interval_max_ms", "stream.interval_ms"),
    ("idempotency.keys_max", "idempotency.keys_per_user_max"),
)


def problems_across(settings: Settings, published_secrets: Set[str]) -> list[str]:
    """One sentence for each rule that these settings, each valid by itself, break together."""
    problems = [
        f"{greater} = {_value(settings, greater)}: must be at least {lesser} = {_value(settings, lesser)}"
        for greater, lesser in _ORDERED
        if _value(settings, greater) < _value(settings, lesser)
    ]
    if (settings.gate.tls_certificate is None) is not (settings.gate.tls_key is None):
        problems.append("gate.tls_certificate and gate.tls_key: one is of no use without the other")
    if settings.gate.tls_client_ca is not None and settings.gate.tls_certificate is None:
        problems.append("gate.tls_client_ca: gates can show no certificate without gate.tls_certificate")
    problems += _readers(settings)
    try:
        ZoneInfo(settings.verify.zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        problems.append(f"verify.zone = {settings.verify.zone!r}: there is no such time zone")
    return problems + _BY_MODE[settings.mode](settings, published_secrets)


def _readers(settings: Settings) -> list[str]:
    """A gate has one reader and a reader one gate: two would open for each other's vehicles."""
    problems = []
    taken: dict[object, int] = {}
    for number, reader in enumerate(settings.gate.readers, start=1):
        for key, value in (("gate", reader.gate), ("host and port", (reader.host, reader.port))):
            first = taken.setdefault(value, number)
            if first != number:
                problems.append(
                    f"gate.readers: tables {first} and {number} have the same {key}, each reader is a gate of its own"
                )
    return problems


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _value(settings: Settings, key: str) -> int:
    section, _, field = key.partition(".")
    value: int = getattr(getattr(settings, section), field)
    return value


def _loopback_only(settings: Settings, published_secrets: Set[str]) -> list[str]:
    listeners = {"http.host": settings.http.host, "gate.host": settings.gate.host}
    return [
        f"{key} = {host!r}: {settings.mode} mode serves this machine only, it must be 127.0.0.1, ::1 or localhost"
        for key, host in listeners.items()
        if not is_loopback(host)
    ]


def _production(settings: Settings, published_secrets: Set[str]) -> list[str]:
    problems = []
    if settings.auth.jwt_secret is None:
        problems.append(
            "auth.jwt_secret: production needs one, at least 32 random characters (KERB_AUTH__JWT_SECRET)"
        )
    elif settings.auth.jwt_secret in published_secrets or len(set(settings.auth.jwt_secret)) < 10:
        problems.append("auth.jwt_secret: is published or guessable, production needs one of its own")
    master = settings.gate.master_secret
    if master is not None and (master in published_secrets or len(set(master)) < 10):
        problems.append("gate.master_secret: is published or guessable, production needs one of its own")
    if settings.auth.bcrypt_rounds < 10:
        problems.append(
            f"auth.bcrypt_rounds = {settings.auth.bcrypt_rounds}: must be at least 10 in production"
        )
    if settings.market.feed == "simulator":
        problems.append("market.feed = 'simulator': production has no simulated market, use 'none' or a feed")
    if "*" in settings.http.cors_origins:
        problems.append("http.cors_origins = '*': production must name the origins")
    return problems


_BY_MODE: dict[Mode, Callable[[Settings, Set[str]], list[str]]] = {
    Mode.DEMO: _loopback_only,
    Mode.TEST: _loopback_only,
    Mode.PRODUCTION: _production,
}
