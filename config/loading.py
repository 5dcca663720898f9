"""Loads the settings: defaults, profile, file, environment and command line, laid over each other, every problem at once."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from config.checks import problems_across
from config.expectations import expectation
from config.settings import Mode, Section, Settings, masked

PROFILE_FOLDER = Path(__file__).parent
ENVIRONMENT_PREFIX = "KERB_"
ENVIRONMENT_OF_TESTS = "KERB_TEST_"
COMMAND_LINE = "command line"


class ConfigError(Exception):
    """The settings cannot be used. `problems` has one sentence for each thing to put right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class LoadedSettings(msgspec.Struct, frozen=True):
    settings: Settings
    origins: dict[str, str]  # key such as "http.port" -> file name, "environment KERB_…" or "command line"


class _Value(msgspec.Struct, frozen=True):
    raw: object
    origin: str
    textual: bool  # from the environment or the command line: numbers come as text


def _sections() -> dict[str, type[Section]]:
    fields = msgspec.structs.fields(Settings)
    return {f.name: f.type for f in fields if isinstance(f.type, type) and issubclass(f.type, Section)}


def _types() -> dict[str, Any]:
    """Every key with its type, in the order of the tree."""
    sections = _sections()
    types: dict[str, Any] = {
        f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in sections
    }
    for name, section in sections.items():
        types |= {f"{name}.{f.name}": f.type for f in msgspec.structs.fields(section)}
    return types


SECTIONS = _sections()
KEY_TYPES = _types()


def environment_name(key: str) -> str:
    """`http.port` → `KERB_HTTP__PORT`."""
    return ENVIRONMENT_PREFIX + key.replace(".", "__").upper()


def load_settings(
    mode: str | None,
    file: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """The effective settings. A later layer wins: default.toml, profile of the mode, `file`, environment, `overrides`.

    `mode` (None: taken from overrides, environment, file or default.toml) chooses the profile. `overrides` are keyed like
    "http.port"; a None among them counts as not given. Raises ConfigError with every problem found.
    """
    problems: list[str] = []
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    if mode is not None:
        given["mode"] = mode
    defaults = _file_layer(PROFILE_FOLDER / "default.toml", "default.toml", problems)
    own_file = _file_layer(file, str(file), problems) if file else {}
    environment = _environment_layer(environ, problems)
    command_line = _command_line_layer(given, problems)

    chosen: dict[str, _Value] = defaults | own_file | environment | command_line
    profile = _profile_layer(chosen.get("mode"), problems)
    values = defaults | profile | own_file | environment | command_line

    converted = _convert_all(values, problems)
    if problems:
        raise ConfigError(problems)
    settings = _build(converted)
    if across := problems_across(settings, _published_secrets()):
        raise ConfigError(across)
    return LoadedSettings(
        settings, {key: values[key].origin if key in values else "not set" for key in KEY_TYPES}
    )


def describe(loaded: LoadedSettings) -> list[tuple[str, str, str]]:
    """(key, value, origin) of every setting, in the tree's order, secrets masked."""
    rows = []
    for key in KEY_TYPES:
        section, _, field = key.rpartition(".")
        holder = getattr(loaded.settings, section) if section else loaded.settings
        value = masked(field, getattr(holder, field))
        rows.append((key, "-" if value is None else _shown(value), loaded.origins[key]))
    return rows


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _file_layer(path: Path, origin: str, problems: list[str]) -> dict[str, _Value]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{origin}: cannot be read ({error.strerror})")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{origin}: is not TOML ({error})")
        return {}
    return dict(_known_keys(document, origin, problems))


def _known_keys(document: dict[str, Any], origin: str, problems: list[str]) -> Iterator[tuple[str, _Value]]:
    for name, value in document.items():
        if name in SECTIONS and isinstance(value, dict):
            keys = [(f"{name}.{field}", inner) for field, inner in value.items()]
        elif name in SECTIONS:
            problems.append(f"{name} ({origin}): must be a table, [{name}]")
            continue
        else:
            keys = [(name, value)]
        for key, inner in keys:
            if key in KEY_TYPES:
                yield key, _Value(inner, origin, textual=False)
            else:
                problems.append(f"{key} ({origin}): is not a setting{_suggestion(key, list(KEY_TYPES))}")


def _environment_layer(environ: Mapping[str, str], problems: list[str]) -> dict[str, _Value]:
    keys = {environment_name(key): key for key in KEY_TYPES}
    layer: dict[str, _Value] = {}
    for name in sorted(environ):
        if not name.startswith(ENVIRONMENT_PREFIX) or name.startswith(ENVIRONMENT_OF_TESTS):
            continue
        if name in keys:
            layer[keys[name]] = _Value(environ[name], f"environment {name}", textual=True)
        else:
            problems.append(f"{name} (environment): is not a setting{_suggestion(name, list(keys))}")
    return layer


def _command_line_layer(given: Mapping[str, object], problems: list[str]) -> dict[str, _Value]:
    problems.extend(
        f"{key} ({COMMAND_LINE}): is not a setting{_suggestion(key, list(KEY_TYPES))}"
        for key in given
        if key not in KEY_TYPES
    )
    return {
        key: _Value(value, COMMAND_LINE, textual=True) for key, value in given.items() if key in KEY_TYPES
    }


def _profile_layer(mode: _Value | None, problems: list[str]) -> dict[str, _Value]:
    """The profile of the mode; none if the mode itself is wrong, which the conversion then reports."""
    if mode is None or str(mode.raw) not in list(Mode):
        return {}
    name = f"{mode.raw}.toml"
    return _file_layer(PROFILE_FOLDER / name, name, problems)


def _published_secrets() -> set[str]:
    """Secrets that stand in the profiles for everybody to read."""
    found = set()
    for mode in Mode:
        document = tomllib.loads((PROFILE_FOLDER / f"{mode}.toml").read_text(encoding="utf-8"))
        if secret := document.get("auth", {}).get("jwt_secret"):
            found.add(str(secret))
    return found


def _suggestion(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _convert_all(values: Mapping[str, _Value], problems: list[str]) -> dict[str, object]:
    converted: dict[str, object] = {}
    for key, kind in KEY_TYPES.items():
        if key not in values:
            if not _optional(kind):
                problems.append(f"{key}: is missing, it must be {expectation(kind)}")
            continue
        value = values[key]
        if (row_type := _row_type(kind)) is not None and isinstance(value.raw, list):
            converted[key] = _rows(key, value, row_type, problems)
            continue
        try:
            converted[key] = _convert(value, kind)
        except (msgspec.ValidationError, ValueError):
            shown = masked(key.rpartition(".")[2], value.raw)
            problems.append(f"{key} = {shown!r} ({value.origin}): must be {expectation(kind)}")
    return converted


def _row_type(kind: object) -> type[msgspec.Struct] | None:
    """What a row is, of a setting that is a list of tables; None for all others."""
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.VarTupleType) and isinstance(
        info.item_type, msgspec.inspect.StructType
    ):
        return info.item_type.cls
    return None


def _rows(
    key: str, value: _Value, row_type: type[msgspec.Struct], problems: list[str]
) -> tuple[msgspec.Struct, ...]:
    """Each table of a list, key by key, so that every problem is named: `gate.readers[2].port`, counted from 1."""
    fields = {field.name: field for field in msgspec.structs.fields(row_type)}
    found = len(problems)
    rows = []
    assert isinstance(value.raw, list)
    for number, row in enumerate(value.raw, start=1):
        here = f"{key}[{number}]"
        if not isinstance(row, dict):
            problems.append(f"{here} = {row!r} ({value.origin}): must be {expectation(row_type)}")
            continue
        for name in [*fields, *(name for name in row if name not in fields)]:
            where = f"{here}.{name}"
            if name not in fields:
                hint = _suggestion(name, list(fields))
                problems.append(f"{where} ({value.origin}): is not a setting{hint}")
            elif name in row:
                _check(where, _Value(row[name], value.origin, textual=False), fields[name].type, problems)
            elif fields[name].required:
                problems.append(f"{where}: is missing, it must be {expectation(fields[name].type)}")
        if len(problems) == found:
            rows.append(msgspec.convert(row, row_type))
    return tuple(rows)


def _check(key: str, value: _Value, kind: object, problems: list[str]) -> None:
    try:
        _convert(value, kind)
    except (msgspec.ValidationError, ValueError):
        problems.append(f"{key} = {value.raw!r} ({value.origin}): must be {expectation(kind)}")


def _optional(kind: object) -> bool:
    info = msgspec.inspect.type_info(kind)
    return isinstance(info, msgspec.inspect.UnionType) and info.includes_none


def _convert(value: _Value, kind: object) -> object:
    raw = value.raw
    info = msgspec.inspect.type_info(kind)
    if value.textual and isinstance(raw, str):
        if raw == "" and _optional(kind):
            return None
        if isinstance(info, msgspec.inspect.VarTupleType):
            raw = [part.strip() for part in raw.split(",") if part.strip()]
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError("not a finite number")
    return msgspec.convert(raw, kind, strict=not value.textual, dec_hook=_path)


def _path(kind: type, raw: object) -> object:
    if kind is Path and isinstance(raw, str | Path) and str(raw):
        return Path(raw)
    raise ValueError("not a path")


def _build(converted: Mapping[str, object]) -> Settings:
    top: dict[str, Any] = {key: value for key, value in converted.items() if "." not in key}
    for name, section in SECTIONS.items():
        prefix = f"{name}."
        top[name] = section(
            **{k.removeprefix(prefix): v for k, v in converted.items() if k.startswith(prefix)}
        )
    return Settings(**top)
