"""Corporate actions of the naive exchange, from docs/corporate-actions.md: what was declared, and when it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from engine import action_events as e
from engine.commands import AnyCommand, FireTimer
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import Refused
from engine.kinds import TimerKind
from engine.refusals import Refusal
from tests.engine.naive_delisting import change_symbol, delist
from tests.engine.naive_merger import NaiveMergers
from tests.engine.naive_split import NaiveSplits
from tests.engine.naive_turn import NaiveTimer, NaiveTurn

if TYPE_CHECKING:
    from tests.engine.naive_exchange import NaiveExchange

MINUTE_US = 60 * 10**6
NAME_MAX = 32


class NaiveActions:
    """What was declared and has not come yet, and the ids of all that ever was."""

    def __init__(self, exchange: NaiveExchange) -> None:
        self.exchange = exchange
        self.declared: dict[int, DeclareAction] = {}
        self.splits = NaiveSplits(exchange)
        self.mergers = NaiveMergers(exchange)

    def pending(self) -> list[DeclareAction]:
        """What is still to come."""
        timers = [each for each in self.exchange.timers if each.kind is TimerKind.CORPORATE_ACTION]
        return [self.declared[int(each.target)] for each in timers]

    def due(self, command: AnyCommand) -> list[DeclareAction]:
        """The one whose time a timer's command tells; none where it is no such command."""
        if not isinstance(command, FireTimer):
            return []
        return [
            self.declared[int(each.target)]
            for each in self.exchange.timers
            if each.timer_id == command.timer_id and each.kind is TimerKind.CORPORATE_ACTION
        ]

    def declare(self, turn: NaiveTurn, command: DeclareAction) -> Refused | None:
        if command.action_id in self.declared:
            return Refused(Refusal.ACTION_EXISTS)
        if command.action_id <= 0:
            return Refused(Refusal.INVALID_ACTION)
        if command.effective_us <= turn.now_us or command.effective_us % MINUTE_US:
            return Refused(Refusal.INVALID_ACTION, (("effective_us", command.effective_us),))
        refused = self.refusal(command)
        if refused:
            return refused
        self.declared[command.action_id] = command
        timer = NaiveTimer(
            *(turn.new_id(), command.effective_us, TimerKind.CORPORATE_ACTION, str(command.action_id))
        )
        self.exchange.timers.append(timer)
        turn.events.append(
            e.ActionDeclared(
                *(command.action_id, command.kind, command.symbol, command.effective_us),
                *(command.numerator, command.denominator, command.new_symbol, command.cash_e8),
            )
        )
        return None

    def refusal(self, command: DeclareAction) -> Refused | None:
        """Why it can't be done as things are now."""
        instrument = self.exchange.instruments.get(command.symbol)
        if instrument is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        if command.kind is ActionKind.MERGER:
            return self.mergers.refusal(instrument, command)
        if instrument.delisted:
            return Refused(Refusal.INSTRUMENT_DELISTED)
        if command.kind is ActionKind.SPLIT:
            return self.splits.refusal(instrument, command)
        if (command.numerator, command.denominator, command.cash_e8) != (1, 1, 0):
            return Refused(Refusal.INVALID_ACTION)
        is_delisting = command.kind is ActionKind.DELISTING
        if is_delisting and command.new_symbol:
            return Refused(Refusal.INVALID_ACTION)
        if not is_delisting and not self.is_free(command.new_symbol):
            return Refused(Refusal.INVALID_ACTION)
        return None

    def is_free(self, name: str) -> bool:
        """Whether an instrument may be given a name."""
        exchange = self.exchange
        taken = set(exchange.instruments)
        taken |= {each.currency for each in exchange.instruments.values()}
        taken |= {each.currency for each in exchange.accounts.values()}
        return 0 < len(name) <= NAME_MAX and name.isprintable() and name not in taken

    def take_effect(self, turn: NaiveTurn, action_id: int) -> None:
        command = self.declared[action_id]
        refused = self.refusal(command)
        if refused:
            turn.events.append(
                e.ActionFailed(action_id, command.kind, command.symbol, refused.refusal, refused.detail)
            )
            return
        exchange, instrument = self.exchange, self.exchange.instruments[command.symbol]
        match command.kind:
            case ActionKind.SPLIT:
                self.splits.carry_out(turn, instrument, command)
            case ActionKind.MERGER:
                self.mergers.carry_out(turn, instrument, command)
            case ActionKind.DELISTING:
                delist(exchange, turn, instrument, command)
            case ActionKind.SYMBOL_CHANGE:
                change_symbol(exchange, turn, instrument, command)
                self.follow(command)

    def follow(self, done: DeclareAction) -> None:
        """What is declared for a symbol, or into it, is for the one that it has become."""
        old, new = done.symbol, done.new_symbol
        for each in self.pending():
            if each.symbol == old:
                self.declared[each.action_id] = changed(each, symbol=new)
            elif each.new_symbol == old and each.kind is ActionKind.MERGER:
                self.declared[each.action_id] = changed(each, new_symbol=new)
