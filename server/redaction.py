"""Takes secrets out of text that is about to be logged.

Nothing of ours puts a secret into a log line; this is for what others write: libraries, exceptions that quote input,
and mistakes to come. It goes by the form of our own secrets, and by the names that secrets have elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"

_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(?i)\b(cookie\d?\"?'?\s*[:=])[^\r\n]*"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b((?:bearer|basic|digest)\s+)[^\s\"',;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bkerb[a-z]?_[A-Za-z0-9_-]+"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)([\w-]*(?:passw(?:or)?d|secret|token|api[_-]?key|authorization|otp|pin)\w*[\"']?\s*[:=]\s*)"
            r"(?:b?\"(?:[^\"\\]|\\.)*\"?|b?'(?:[^'\\]|\\.)*'?|[^\s,;&}\])]+)"
        ),
        rf"\1{HIDDEN}",
    ),
)
"""Pattern → what stands in its place. Our keys and tokens begin with `kerb_`, `kerbr_`, `kerbp_`; `eyJ` begins a JWT."""


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
