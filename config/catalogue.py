"""Reads the data files (instruments, fees, limits, calendars, indices) into records; numbers exactly, every problem at once."""

from __future__ import annotations

import difflib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.catalogue_checks import problems_in
from config.expectations import expectation
from config.loading import PROFILE_FOLDER, ConfigError
from config.records import (
    CalendarConfig,
    Catalogue,
    FeeScheduleConfig,
    IndexConfig,
    InstrumentConfig,
    LimitsConfig,
)

R = TypeVar("R", bound=msgspec.Struct)


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The files of `folder` (None: those that come with Kerb); without indices.toml there are no indices. Raises ConfigError with every problem found."""
    problems: list[str] = []
    folder = folder or PROFILE_FOLDER
    instruments = _records(folder / "instruments.toml", "instrument", InstrumentConfig, problems)
    schedules = _records(folder / "fees.toml", "schedule", FeeScheduleConfig, problems)
    calendars = _records(folder / "calendars.toml", "calendar", CalendarConfig, problems)
    limits = _limits(folder / "limits.toml", problems)
    indices: list[IndexConfig] = []
    if (folder / "indices.toml").exists():
        indices = _records(folder / "indices.toml", "index", IndexConfig, problems)
    if problems or limits is None:
        raise ConfigError(problems)
    catalogue = Catalogue(
        instruments=tuple(instruments),
        fee_schedules=tuple(schedules),
        limits=limits,
        calendars=tuple(calendars),
        indices=tuple(indices),
    )
    if broken := problems_in(catalogue):
        raise ConfigError(broken)
    return catalogue


def _records(path: Path, table: str, kind: type[R], problems: list[str]) -> list[R]:
    """The `[[table]]` entries of a file, each over the file's `[defaults]`."""
    document = _document(path, {table, "defaults"}, problems)
    defaults = document.get("defaults", {})
    entries = document.get(table, [])
    if not isinstance(entries, list) or not isinstance(defaults, dict):
        problems.append(f"{path.name}: must consist of [[{table}]] entries and at most one [defaults]")
        return []
    found = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.append(f"{path.name}: {table} {number} must be a table")
            continue
        label = f"{path.name}: {entry.get('symbol') or entry.get('name') or f'{table} {number}'}"
        if (record := _record(defaults | entry, kind, label, problems)) is not None:
            found.append(record)
    return found


def _limits(path: Path, problems: list[str]) -> LimitsConfig | None:
    document = _document(path, {"limits"}, problems)
    table = document.get("limits")
    if not isinstance(table, dict):
        problems.append(f"{path.name}: must have a table [limits]")
        return None
    return _record(table, LimitsConfig, f"{path.name}: limits", problems)


def _document(path: Path, known: set[str], problems: list[str]) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror})")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: is not TOML ({error})")
        return {}
    problems.extend(f"{path.name}: {name} is not known here" for name in document if name not in known)
    return document


def _record(entry: dict[str, Any], kind: type[R], label: str, problems: list[str]) -> R | None:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    before = len(problems)
    for name in entry.keys() - fields.keys():
        near = difflib.get_close_matches(name, fields, n=1)
        problems.append(f"{label}.{name}: is not known" + (f"; did you mean {near[0]}?" if near else ""))
    values = {}
    for name, field in fields.items():
        if name not in entry:
            if field.required:
                problems.append(f"{label}.{name}: is missing, it must be {expectation(field.type)}")
            continue
        try:
            values[name] = _convert(entry[name], field.type)
        except (msgspec.ValidationError, ValueError):
            problems.append(f"{label}.{name} = {str(entry[name])!r}: must be {expectation(field.type)}")
    return kind(**values) if len(problems) == before else None


def _convert(raw: object, kind: Any) -> object:
    if kind is Decimal and isinstance(raw, bool):
        raise ValueError("not a number")
    value: object = msgspec.convert(raw, kind)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("not a finite number")
    return value
