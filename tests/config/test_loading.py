"""Loading the settings: which layer wins, and that every problem is reported at once, by name, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import KEY_TYPES, ConfigError, describe, environment_name, load_settings
from config.settings import MASK, Mode

SECRET = "correct-horse-battery-staple-0123456789"


def problems_of(
    mode: str | None = "test",
    file: Path | None = None,
    environ: dict[str, str] | None = None,
    overrides: dict[str, object] | None = None,
) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_settings(mode, file, environ or {}, overrides)
    return raised.value.problems


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kerb.toml"


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_the_profiles_need_nothing_else(mode: str) -> None:
    assert load_settings(mode, None, {}).settings.mode == mode


def test_each_layer_wins_over_the_ones_before_it(file: Path) -> None:
    def port(environ: dict[str, str], overrides: dict[str, object], own: Path | None) -> tuple[int, str]:
        loaded = load_settings("test", own, environ, overrides)
        return loaded.settings.http.port, loaded.origins["http.port"]

    file.write_text("[http]\nport = 9001\n")
    from_environment = {"KERB_HTTP__PORT": "9002"}
    assert load_settings("demo", None, {}).origins["http.port"] == "default.toml"
    assert port({}, {}, None) == (0, "test.toml")
    assert port({}, {}, file) == (9001, str(file))
    assert port(from_environment, {}, file) == (9002, "environment KERB_HTTP__PORT")
    assert port(from_environment, {"http.port": 9003}, file) == (9003, "command line")
    assert port(from_environment, {"http.port": None}, file) == (9002, "environment KERB_HTTP__PORT")


@pytest.mark.parametrize(
    ("argument", "environ", "in_file", "mode"),
    [
        ("demo", {"KERB_MODE": "test"}, "production", Mode.DEMO),
        (None, {"KERB_MODE": "test"}, "demo", Mode.TEST),
        (None, {}, "demo", Mode.DEMO),
        (None, {}, None, Mode.PRODUCTION),
    ],
)
def test_the_mode_chooses_the_profile(
    file: Path, argument: str | None, environ: dict[str, str], in_file: str | None, mode: Mode
) -> None:
    file.write_text(f'mode = "{in_file}"' if in_file else "")
    loaded = load_settings(argument, file, {"KERB_AUTH__JWT_SECRET": SECRET, **environ})
    assert loaded.settings.mode is mode
    assert loaded.settings.log.format == ("json" if mode is Mode.PRODUCTION else "text")


def test_every_problem_is_reported_at_once(file: Path) -> None:
    file.write_text(
        'http = 3\ncolour = "red"\n[journal]\nsegment_bytes = "big"\n[stream]\nintervall_ms = 5\n'
    )
    environ = {"KERB_HTTP_PORT": "1", "KERB_AUTH__BCRYPT_ROUNDS": "99", "KERB_LOG__LEVEL": "LOUD"}
    assert problems_of("test", file, environ, {"gate.prt": 1}) == [
        f"http ({file}): must be a table, [http]",
        f"colour ({file}): is not a setting",
        f"stream.intervall_ms ({file}): is not a setting; did you mean stream.interval_ms?",
        "KERB_HTTP_PORT (environment): is not a setting; did you mean KERB_HTTP__PORT?",
        "gate.prt (command line): is not a setting; did you mean gate.port?",
        f"journal.segment_bytes = 'big' ({file}): must be a whole number from 65536 to 4294967296",
        "auth.bcrypt_rounds = '99' (environment KERB_AUTH__BCRYPT_ROUNDS): must be a whole number from 4 to 16",
        "log.level = 'LOUD' (environment KERB_LOG__LEVEL): must be one of DEBUG, INFO, WARNING, ERROR",
    ]


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[http]\nport = 65536", "http.port = 65536"),
        ("[http]\nport = true", "http.port = True"),
        ("[http]\nport = 80.0", "http.port = 80.0"),
        ("[http]\nport = nan", "http.port = nan"),
        ('[http]\nport = "80"', "http.port = '80'"),
        ('[http]\nhost = ""', "http.host = ''"),
        ('[http]\ncors_origins = "https://a.example"', "http.cors_origins = 'https://a.example'"),
        ("data_dir = 7", "data_dir = 7"),
        ('data_dir = ""', "data_dir = ''"),
        ('database_url = "mysql://x"', "database_url = 'mysql://x'"),
        ("[market]\nspeed = 1001", "market.speed = 1001"),
        ('mode = "staging"', "mode = 'staging'"),
    ],
)
def test_a_wrong_value_is_refused_by_name(file: Path, toml: str, problem: str) -> None:
    file.write_text(toml)
    [found] = problems_of(None if "mode" in toml else "test", file, {"KERB_AUTH__JWT_SECRET": SECRET})
    assert found.startswith(f"{problem} ({file}): must be ")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, file: Path) -> None:
    file.write_text("[http\nport")
    assert problems_of("test", file)[0].startswith(f"{file}: is not TOML")
    assert problems_of("test", tmp_path / "none.toml") == [
        f"{tmp_path}/none.toml: cannot be read (No such file or directory)"
    ]


def test_lists_and_absent_values_can_come_from_the_environment() -> None:
    environ = {"KERB_HTTP__CORS_ORIGINS": "https://a.example, https://b.example", "KERB_DATABASE_URL": ""}
    loaded = load_settings("test", None, environ)
    assert loaded.settings.http.cors_origins == ("https://a.example", "https://b.example")
    assert loaded.settings.database_url is None


def test_settings_of_the_test_run_and_of_others_are_left_alone() -> None:
    load_settings("test", None, {"KERB_TEST_DATABASE_URL": "x", "HOME": "/", "PORT": "1"})


# Keys that take any text, and the mode, which the argument of load_settings decides here.
TAKE_ANY_TEXT = {
    "data_dir",
    "catalogue_dir",
    "http.host",
    "mail.reset_url",
    "gate.host",
    "gate.tls_certificate",
    "gate.tls_key",
    "gate.tls_client_ca",
    "http.cors_origins",
    "market.feed",
    "market.symbols",
}


@pytest.mark.parametrize("key", [key for key in KEY_TYPES if key not in TAKE_ANY_TEXT | {"mode"}])
def test_every_setting_can_come_from_the_environment_and_says_so(key: str) -> None:
    [problem] = problems_of("test", None, {environment_name(key): "?"})
    assert problem.startswith(key)
    assert f"(environment {environment_name(key)})" in problem


READERS = """
[[gate.readers]]
host = "10.0.0.7"
gate = "gat_in"
gpo = 2
[[gate.readers]]
host = "10.0.0.7"
port = 5085
gate = "gat_out"
lane = 0
"""


def test_readers_are_a_table_each(tmp_path: Path) -> None:
    file = tmp_path / "kerb.toml"
    file.write_text(READERS)
    loaded = load_settings("test", file, {})
    entry, leave = loaded.settings.gate.readers
    assert (entry.host, entry.port, entry.gate, entry.gpo, entry.lane) == ("10.0.0.7", 5084, "gat_in", 2, 1)
    assert (leave.port, leave.gate, leave.gpo, leave.lane) == (5085, "gat_out", 0, 0)
    assert loaded.origins["gate.readers"] == str(file)


def test_every_problem_of_a_reader_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kerb.toml"
    file.write_text(
        READERS.replace("port = 5085", "port = 0").replace("gpo = 2", "gpoo = 2\nhold_s = '3'")
        + '[[gate.readers]]\ngate = "in"\n'
    )
    assert problems_of("test", file, {}) == [
        f"gate.readers[1].hold_s = '3' ({file}): must be a whole number from 1 to 25",
        f"gate.readers[1].gpoo ({file}): is not a setting; did you mean gpo?",
        f"gate.readers[2].port = 0 ({file}): must be a whole number from 1 to 65535",
        "gate.readers[3].host: is missing, it must be a text that is not empty",
        f"gate.readers[3].gate = 'in' ({file}): must be a gate: gat_ and 1 to 32 letters, digits, dots, underscores and dashes",
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [("gat_out", "gat_in", "gate"), ("port = 5085", "port = 5084", "host and port")],
)
def test_a_gate_has_one_reader_and_a_reader_one_gate(tmp_path: Path, old: str, new: str, what: str) -> None:
    file = tmp_path / "kerb.toml"
    file.write_text(READERS.replace(old, new))
    assert problems_of("test", file, {}) == [
        f"gate.readers: tables 1 and 2 have the same {what}, each reader is a gate of its own"
    ]


def test_secrets_are_masked_everywhere() -> None:
    environ = {
        "KERB_AUTH__JWT_SECRET": SECRET,
        "KERB_DATABASE_URL": "postgresql://kerb:hunter2@db.example:5432/kerb",
    }
    loaded = load_settings("production", None, environ)
    rows = {key: (value, origin) for key, value, origin in describe(loaded)}
    assert rows["auth.jwt_secret"] == (MASK, "environment KERB_AUTH__JWT_SECRET")
    assert rows["database_url"][0] == f"postgresql://kerb:{MASK}@db.example:5432/kerb"
    for text in (str(rows), repr(loaded), repr(loaded.settings), repr(loaded.settings.auth)):
        assert SECRET not in text
        assert "hunter2" not in text


def test_a_refused_secret_is_not_repeated() -> None:
    [problem] = problems_of("production", None, {"KERB_AUTH__JWT_SECRET": "too-short"})
    assert "too-short" not in problem


def test_every_setting_is_described_with_its_origin() -> None:
    rows = describe(load_settings("demo", None, {}))
    assert [key for key, _, _ in rows] == list(KEY_TYPES)
    assert {origin for _, _, origin in rows} == {"default.toml", "demo.toml", "command line", "not set"}
