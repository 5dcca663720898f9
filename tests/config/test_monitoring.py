"""The alert rules and the dashboard: every metric that they name is one that the running server exposes, and with these labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.settings import Settings
from handlers.routes import ROUTES
from tests.handlers.small_kerb import SmallKerb, open_small_kerb

CONFIG = Path(__file__).resolve().parents[2] / "config"
METRIC = re.compile(r"\b((?:kerb|process)_[a-z0-9_]+)(\{[^}]*\})?")
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    text = (CONFIG / "alerts.yml").read_text()
    return [rule for group in msgspec.yaml.decode(text)["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads((CONFIG / "grafana.json").read_text())
    return board


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.fixture
async def exposed(database_dsn: str, tmp_path: Path, settings: Settings) -> dict[str, set[str]]:
    """Every sample's name and the labels it has, after a little of everything."""
    async with open_small_kerb(database_dsn, tmp_path, settings) as small:
        await a_little_of_everything(small)
        text = (await small.anonymous()("GET", "/metrics", root=True)).body.decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def a_little_of_everything(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="1000"), await small.trader("seller", units=10)
    await seller.place("SELL", "2", "90")
    await buyer.place("BUY", "1", "90")
    await buyer.place("BUY", "1000", "90")
    await seller("DELETE", "/orders")
    wrong = {"email": "buyer@example.com", "password": "wrong wrong"}
    await buyer("POST", "/auth/login", wrong)
    await buyer("GET", "/wallet/balance")


async def test_every_metric_that_is_watched_is_exposed(exposed: dict[str, set[str]]) -> None:
    named = {}
    for expression in expressions():
        for name, labels in METRIC.findall(expression):
            named[name] = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels)) - {"job"}
    assert len(named) > 30
    assert {name for name in named if name not in exposed} == set()
    assert {name for name, labels in named.items() if not labels <= exposed[name]} == set()


async def test_the_figures_are_right(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    async with open_small_kerb(database_dsn, tmp_path, settings) as small:
        await a_little_of_everything(small)
        text = (await small.anonymous()("GET", "/metrics", root=True)).body.decode()
    figures = dict(re.findall(r"^(kerb_\w+(?:\{[^}]*\})?) ([\d.e+-]+)$", text, re.MULTILINE))
    assert float(figures['kerb_orders_total{source="http"}']) == 2
    assert float(figures["kerb_orders_filled_total"]) == 1
    assert float(figures["kerb_orders_cancelled_total"]) == 1
    assert float(figures["kerb_trades_total"]) == 1
    assert float(figures['kerb_fee_revenue{currency="USD"}']) > 0
    assert float(figures["kerb_logins_total"]) == 2
    assert float(figures["kerb_logins_refused_total"]) == 1
    assert float(figures["kerb_token_cache_hits_total"]) > float(figures["kerb_token_cache_misses_total"]) > 0
    assert float(figures["kerb_database_query_seconds_count"]) > 0
    assert float(figures['kerb_refusals_total{code="INSUFFICIENT_FUNDS"}']) == 1


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert {"HighOrderLatency", "OrderFailureRate", "LowCacheHitRate"} <= set(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1s")), rule["alert"]


def test_routes_that_are_named_exist() -> None:
    names = {route.name for route in ROUTES}
    routes = {name for expression in expressions() for name in re.findall(r'route="([^"]*)"', expression)}
    assert routes
    assert routes <= names


def test_no_two_panels_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_brackets_close() -> None:
    for expression in expressions():
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing), expression
