"""What came of a verification, for an operator's eyes and for the one that runs by itself at night."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, json

from server.verify import FINDINGS_MAX, Finding
from server.verify_journal import Compared


class Outcome(Struct, frozen=True):
    """A verdict in figures; times are seconds. `wrong` counts findings by check, FINDINGS_MAX at most."""

    wrong: dict[str, int]
    first_seq: int
    last_seq: int
    durable_seq: int
    state: str
    took_s: float


class Verdict(Struct, frozen=True):
    """Everything that is wrong, and what was compared."""

    findings: list[Finding]
    compared: Compared
    took_s: float

    @property
    def outcome(self) -> Outcome:
        """The figures."""
        compared = self.compared
        wrong = dict(Counter(finding.check for finding in self.findings))
        seqs = (compared.first_seq, compared.last_seq, compared.durable_seq)
        return Outcome(wrong, *seqs, compared.state, round(self.took_s, 3))

    def as_json(self) -> str:
        """The figures and the findings, one line."""
        return json.encode({"outcome": self.outcome, "findings": self.findings}).decode()

    def summary(self) -> list[str]:
        """How many findings each check has, and how many there are."""
        lines = [
            f"{check}: {count}{' or more' if count >= FINDINGS_MAX else ''}"
            for check, count in self.outcome.wrong.items()
        ]
        return [*lines, f"{len(self.findings)} rows are wrong"]
