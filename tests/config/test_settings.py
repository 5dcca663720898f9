"""How settings may be shown."""

from __future__ import annotations

import pytest

from config.settings import MASK, masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://kerb@/kerb?host=%2Frun", "postgresql://kerb@/kerb?host=%2Frun"),
        ("postgresql://kerb:secret@db:5432/kerb", f"postgresql://kerb:{MASK}@db:5432/kerb"),
        ("postgresql://:secret@db/kerb", f"postgresql://:{MASK}@db/kerb"),
        ("postgresql://db/kerb?user=a&password=secret", f"postgresql://@db/kerb?{MASK}"),
        ("postgresql://kerb:se@cret@db/kerb", f"postgresql://kerb:{MASK}@db/kerb"),
        ("postgresql://kerb:se[cret@db/kerb", MASK),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked("database_url", url) == shown


def test_only_secrets_are_masked() -> None:
    assert masked("jwt_secret", "abc") == MASK
    assert masked("jwt_secret", None) is None
    assert masked("port", 8080) == 8080
