"""The tables whose rows records write one by one, as `verify` compares them: as values, where the others are bytes of COPY.

A row is made by one record (its `head` never changes) and may be changed by later ones (its `tail`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from sql.projection import Rows, WithdrawalStatus

Values = tuple[Any, ...]

_ROWS: Final = "SELECT {key}, {columns} FROM {table} WHERE {key} {which} ORDER BY {key}"
_US: Final = "(extract(epoch FROM {}) * 1000000)::BIGINT"


class Made(NamedTuple):
    """A row that a record made: its id, what never changes of it, and what may, as it is at first."""

    row_id: int
    head: Values
    tail: Values = ()


Change = tuple[int, Values]
"""A row's id and its tail from now on."""


def _nothing(rows: Rows) -> Iterable[Change]:
    return ()


class RareTable(NamedTuple):
    """A table with one row an id, and ids that grow with the journal. `head` and `tail` are SQL expressions by column."""

    name: str
    key: str
    head: tuple[tuple[str, str], ...]
    tail: tuple[tuple[str, str], ...]
    made: Callable[[Rows], Iterable[Made]]
    changed: Callable[[Rows], Iterable[Change]] = _nothing

    @property
    def query(self) -> str:
        """Id, head and tail of the rows from an id on ($1), in the order of their ids."""
        return self._query(">= $1")

    @property
    def query_some(self) -> str:
        """The same of the rows with these ids ($1)."""
        return self._query("= ANY ($1::BIGINT[])")

    def _query(self, which: str) -> str:
        columns = ", ".join(f"{expression} AS {name}" for name, expression in self.head + self.tail)
        return _ROWS.format(key=self.key, columns=columns, table=self.name, which=which)

    def made_of(self, values: Values) -> Made:
        """A row of these queries."""
        head = values[1 : 1 + len(self.head)]
        return Made(values[0], tuple(map(_plain, self.head, head)), values[1 + len(self.head) :])

    def difference(self, found: Made, right: Made) -> str:
        """In what a row differs from the one that the journal gives."""
        pairs = zip(self.head + self.tail, found.head + found.tail, right.head + right.tail, strict=True)
        return ", ".join(
            f"{name} is {is_}, the journal says {wanted}" for (name, _), is_, wanted in pairs if is_ != wanted
        )


def _plain(column: tuple[str, str], value: Any) -> Any:
    """JSON as what it says, however it is spaced."""
    return msgspec.json.decode(value) if column[0] == "figures" else value


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


def _time(name: str) -> tuple[tuple[str, str], ...]:
    return ((name, _US.format(name)),)


def _accounts(rows: Rows) -> Iterator[Made]:
    for account_id, user_id, kind, currency, opened_us, seq in rows.accounts:
        yield Made(account_id, (user_id, kind, currency, opened_us), (1, "", seq))


def _statuses(rows: Rows) -> Iterator[Change]:
    for account_id, status, reason, seq in rows.account_statuses:
        yield account_id, (int(status), reason, seq)


def _withdrawals(rows: Rows) -> Iterator[Made]:
    for withdrawal_id, account_id, amount_e4, requested_us in rows.withdrawals:
        yield Made(withdrawal_id, (account_id, amount_e4, requested_us), (WithdrawalStatus.REQUESTED, None))


def _settled(rows: Rows) -> Iterator[Change]:
    for withdrawal_id, status, settled_us in rows.settlements:
        yield withdrawal_id, (status, settled_us)


def _violations(rows: Rows) -> Iterator[Made]:
    for violation_id, *figures, extra in rows.violations:
        yield Made(violation_id, (*figures, msgspec.json.decode(extra)))


def _good_faith(rows: Rows) -> Iterator[Made]:
    for execution_id, account_id, order_id, violations, until_us, violated_us in rows.good_faith:
        yield Made(execution_id, (account_id, order_id, violations, until_us or None, violated_us))


def _dividends(rows: Rows) -> Iterator[Made]:
    for txn_id, *figures in rows.dividends:
        yield Made(txn_id, tuple(figures))


def _action_payments(rows: Rows) -> Iterator[Made]:
    for txn_id, *figures in rows.cash:
        yield Made(txn_id, tuple(figures))


def _effected_actions(rows: Rows) -> Iterator[Made]:
    for effected_id, *figures in rows.effected:
        yield Made(effected_id, tuple(figures))


RARE: Final = (
    RareTable(
        "accounts",
        "account_id",
        _same("user_id", "kind", "currency") + _time("opened_at"),
        _same("status", "status_reason", "seq"),
        _accounts,
        _statuses,
    ),
    RareTable(
        "withdrawals",
        "withdrawal_id",
        _same("account_id", "amount_e4") + _time("requested_at"),
        _same("status") + _time("settled_at"),
        _withdrawals,
        _settled,
    ),
    RareTable(
        "risk_violations",
        "violation_id",
        _time("at")
        + _same("rule", "mode", "account_id", "order_id", "side", "quantity_e8", "price_e4", "symbol", "figures"),
        (),
        _violations,
    ),
    RareTable(
        "good_faith_violations",
        "execution_id",
        _same("account_id", "order_id", "violations") + _time("settled_only_until") + _time("violated_at"),
        (),
        _good_faith,
    ),
    RareTable(
        "dividend_payments",
        "txn_id",
        _same("dividend_id", "account_id", "units_e8", "amount_e4")
        + _time("paid_at")
        + _same("symbol", "restated_e8"),
        (),
        _dividends,
    ),
    RareTable(
        "action_payments",
        "txn_id",
        _same("action_id", "account_id", "units_e8", "amount_e4") + _time("paid_at") + _same("symbol"),
        (),
        _action_payments,
    ),
    RareTable(
        "effected_actions",
        "effected_id",
        _same("action_id", "kind", "symbol")
        + _time("effective_at")
        + _same("numerator", "denominator", "new_symbol", "accounts", "units_e8", "cash_e4", "refusal"),
        (),
        _effected_actions,
    ),
)  # fmt: skip
"""What operators decide about a violation is theirs, and no part of the comparison."""

SETTLED_DAYS: Final = """
SELECT market, settlement_date - DATE '1970-01-01' AS day, (extract(epoch FROM settled_at) * 1000000)::BIGINT AS settled_us
FROM settled_days ORDER BY market, settlement_date
"""
