"""Four eyes: one operator proposes, another one decides, once; the database says so too. What is carried out is each kind's own.

A kind of proposal is a table with `status`, `proposed_by`, `decided_by` and `outcome`, and three statements over it. A
crash between the decision and its end leaves a row APPROVED: approving it again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from server.database import Database
from server.errors import Conflict, Forbidden, NotFound


class Proposal(Protocol):
    """What is needed of a row."""

    @property
    def status(self) -> str: ...
    @property
    def proposed_by(self) -> int: ...
    @property
    def decided_by(self) -> int | None: ...
    @property
    def outcome(self) -> str | None: ...


P = TypeVar("P", bound=Proposal)


class FourEyes(Generic[P]):
    """One kind of proposals. `one`, `decide` and `finish` are its statements; `what` is what people call it."""

    def __init__(self, what: str, make: Callable[..., P], *, one: str, decide: str, finish: str) -> None:
        self._what = what
        self._make = make
        self._one = one
        self._decide = decide
        self._finish = finish

    def of(self, row: Any) -> P:
        """A proposal from its row."""
        return self._make(**dict(row))

    async def decide(self, database: Database, proposal_id: int, user_id: int, decision: str) -> P:
        """APPROVED or REJECTED. Raises NotFound, Forbidden for the one who proposed, Conflict when another has decided, or
        the same operator otherwise; whoever decides the same again gets the same answer.
        """
        row = await database.fetchrow(self._decide, proposal_id, user_id, decision)
        if row is not None:
            return self.of(row)
        row = await database.fetchrow(self._one, proposal_id)
        if row is None:
            raise NotFound(f"There is no such {self._what}.")
        found = self.of(row)
        if found.proposed_by == user_id:
            raise Forbidden("Somebody else has to decide on what you have proposed.")
        if found.status == decision == "APPROVED":
            return found
        if found.decided_by == user_id and (found.status == "REJECTED") == (decision == "REJECTED"):
            return found
        raise Conflict(f"The {self._what} is {found.status} already.")

    async def finish(self, database: Database, proposal_id: int, status: str, outcome: str) -> P:
        """Write down what came of an approved one."""
        row = await database.fetchrow(self._finish, proposal_id, status, outcome)
        if row is None:  # somebody else who went on with it was faster, with the same outcome
            row = await database.fetchrow(self._one, proposal_id)
        assert row is not None
        return self.of(row)
