"""Reads the data files (instruments, fees, limits, calendars, indices, settlement, tariffs) into records; numbers exactly, every problem at once."""

from __future__ import annotations

import difflib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.catalogue_checks import problems_in
from config.entries import CatalogueFiles, Entries, Entry
from config.expectations import expectation
from config.loading import PROFILE_FOLDER, ConfigError
from config.records import (
    CalendarConfig,
    Catalogue,
    FeeScheduleConfig,
    IndexConfig,
    InstrumentConfig,
    LimitsConfig,
    MarketDays,
    RiskConfig,
    SettlementConfig,
)
from config.tariff_records import TariffConfig

R = TypeVar("R", bound=msgspec.Struct)


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The files of `folder` (None: those that come with Kerb); without indices.toml there are no indices, without settlement.toml all trades settle at once, without tariffs.toml there are no tariffs. Raises ConfigError with every problem found."""
    problems: list[str] = []
    found = read_files(folder or PROFILE_FOLDER, problems)
    problems.extend(problems_in(found))
    if problems:
        raise ConfigError(problems)
    return Catalogue(
        instruments=found.instruments.records,
        fee_schedules=found.fee_schedules.records,
        limits=found.limits.records[0],
        risk=found.risk.records[0],
        calendars=with_market_days(found.calendars.records, found.market_days.records),
        indices=found.indices.records,
        settlement=found.settlement.records,
        tariffs=found.tariffs.records,
    )


def read_files(folder: Path, problems: list[str]) -> CatalogueFiles:
    """All that can be read of the files; what cannot is added to `problems`."""
    indices: Entries[IndexConfig] = Entries(())
    own = folder / "market_days.toml"
    if (folder / "indices.toml").exists():
        indices = _records(folder / "indices.toml", "index", IndexConfig, problems)
    settlement: Entries[SettlementConfig] = Entries(())
    if (folder / "settlement.toml").exists():
        settlement = _records(folder / "settlement.toml", "settlement", SettlementConfig, problems)
    tariffs: Entries[TariffConfig] = Entries(())
    if (folder / "tariffs.toml").exists():
        tariffs = _records(folder / "tariffs.toml", "tariff", TariffConfig, problems)
    limits, risk = _limits(folder / "limits.toml", problems)
    return CatalogueFiles(
        _records(folder / "instruments.toml", "instrument", InstrumentConfig, problems),
        _records(folder / "fees.toml", "schedule", FeeScheduleConfig, problems),
        limits,
        _records(folder / "calendars.toml", "calendar", CalendarConfig, problems),
        indices,
        _records(own if own.exists() else PROFILE_FOLDER / own.name, "market", MarketDays, problems),
        risk,
        settlement,
        tariffs,
    )


def with_market_days(
    calendars: tuple[CalendarConfig, ...], markets: tuple[MarketDays, ...]
) -> tuple[CalendarConfig, ...]:
    """The calendars with the closed and the short days of their markets among their own."""
    by_name = {each.name: each for each in markets}
    return tuple(
        msgspec.structs.replace(
            each,
            holidays=(*each.holidays, *by_name[each.market].closed),
            early_closes=(*each.early_closes, *(by_name[each.market].short if each.early_close else ())),
        )
        if each.market is not None
        else each
        for each in calendars
    )


def _records(path: Path, table: str, kind: type[R], problems: list[str]) -> Entries[R]:
    """The `[[table]]` entries of a file, each over the file's `[defaults]`."""
    document = _document(path, {table, "defaults"}, problems)
    if document is None:
        return Entries((), is_complete=False)
    defaults = document.get("defaults", {})
    entries = document.get(table, [])
    if not isinstance(entries, list) or not isinstance(defaults, dict):
        problems.append(f"{path.name}: must consist of [[{table}]] entries and at most one [defaults]")
        return Entries((), is_complete=False)
    found = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.append(f"{path.name}: {table} {number} must be a table")
            continue
        label = f"{path.name}: {entry.get('symbol') or entry.get('name') or entry.get('calendar') or f'{table} {number}'}"
        found.append(_record(defaults | entry, kind, label, problems))
    return Entries(tuple(found), is_complete=len(found) == len(entries))


def _limits(path: Path, problems: list[str]) -> tuple[Entries[LimitsConfig], Entries[RiskConfig]]:
    """The tables [limits] and, with its defaults where the file has none, [risk]."""
    document = _document(path, {"limits", "risk"}, problems)
    if document is None:
        return Entries((), is_complete=False), Entries((), is_complete=False)
    return (
        _table(document.get("limits"), "limits", LimitsConfig, path, problems),
        _table(document.get("risk", {}), "risk", RiskConfig, path, problems),
    )


def _table(table: object, name: str, kind: type[R], path: Path, problems: list[str]) -> Entries[R]:
    if not isinstance(table, dict):
        problems.append(f"{path.name}: must have a table [{name}]")
        return Entries((), is_complete=False)
    return Entries((_record(table, kind, f"{path.name}: {name}", problems),))


def _document(path: Path, known: set[str], problems: list[str]) -> dict[str, Any] | None:
    """The file's content; None when it is not to be had."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror})")
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: is not TOML ({error})")
        return None
    problems.extend(f"{path.name}: {name} is not known here" for name in document if name not in known)
    return document


def _record(entry: dict[str, Any], kind: type[R], label: str, problems: list[str]) -> Entry[R]:
    """The record with every field that could be read; the others hold nothing and are named in `unread`."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name in entry:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            problems.append(f"{label}.{name}: is not known" + (f"; did you mean {near[0]}?" if near else ""))
    values: dict[str, object] = {}
    unread = set()
    for name, field in fields.items():
        if name not in entry:
            if field.required:
                problems.append(f"{label}.{name}: is missing, it must be {expectation(field.type)}")
                unread.add(name)
            continue
        try:
            values[name] = _convert(entry[name], field.type)
        except (msgspec.ValidationError, ValueError):
            problems.append(f"{label}.{name} = {str(entry[name])!r}: must be {expectation(field.type)}")
            unread.add(name)
    return Entry(kind(**dict.fromkeys(unread), **values), label, frozenset(unread))


def _convert(raw: object, kind: Any) -> object:
    if kind is Decimal and isinstance(raw, bool):
        raise ValueError("not a number")
    value: object = msgspec.convert(raw, kind)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("not a finite number")
    return value
