"""Takes secrets out of text that is about to be logged.

Nothing of ours puts a secret into a log line; this is for what others write: libraries, exceptions that quote input,
and mistakes to come. It goes by the form of our own secrets, and by the names that secrets have elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"

LENGTH_MAX: Final = 16_384
"""What is longer is cut: nobody reads it, and patterns must not take long on hostile input."""

_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(?i)\b(cookie\d?\"?'?\s*[:=])[^\r\n]*"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b((?:bearer|basic|digest)\s+)[^\s\"',;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bkerb[a-z]?_[A-Za-z0-9_-]+"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{0,1024}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"(://[^\s/:@]{0,256}:)[^\s/@]{1,256}@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)((?:passw(?:or)?d|secret|token|api[_-]?key|authorization|\botp|\bpin)\w{0,16}[\"']?\s*[:=]\s*)"
            r"(?:b?\"(?:[^\"\\]|\\.)*\"?|b?'(?:[^'\\]|\\.)*'?|[^\s,;&}\])]+)"
        ),
        rf"\1{HIDDEN}",
    ),
)
"""Pattern → what stands in its place. Our keys and tokens begin with `kerb_`, `kerbr_`, `kerbp_`; `eyJ` begins a JWT."""


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    if len(text) > LENGTH_MAX:
        text = f"{text[:LENGTH_MAX]}… ({len(text)} characters)"
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
