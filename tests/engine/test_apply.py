"""`apply` as a whole: no well-typed command makes it raise, nothing it accepts is too large to write, nothing depends on luck."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.aggregates import KINDS
from engine.apply import COMMANDS, apply
from engine.commands import AnyCommand, CancelAll, Deposit, Envelope, HaltSymbol, PlaceOrder
from engine.events import Refused
from engine.kinds import Source
from engine.parking.table import PARKING_COMMANDS
from engine.state import State
from engine.state_hash import state_hash
from engine.turn import Turn
from engine.units import IDS_PER_SEQ
from tests.engine.mirror import Mirror
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands
from tests.engine.test_aggregates import busy_world
from tests.engine.world import BUY, GTC, LIMIT, World, e4, e8, of_kind

ROOT = Path(__file__).resolve().parents[2]
BIGINT_MAX = 2**63 - 1

ints = st.one_of(
    st.integers(-BIGINT_MAX - 1, BIGINT_MAX),
    st.sampled_from(
        [-BIGINT_MAX - 1, -1, 0, 1, 100, 10**4, 10**6, 10**8, 10**12, 10**13, 10**15, 10**17, BIGINT_MAX]
    ),
)
texts = st.one_of(
    st.sampled_from(["", "AAPL", "MSFT", "USD", "24x7", "std", "mine", "second"]), st.text(max_size=8)
)
st.register_type_strategy(int, ints)
st.register_type_strategy(str, texts)


def commands() -> st.SearchStrategy[Any]:
    """Any command with any values of its types; ids are now and then those of the busy world."""
    world = busy_world()
    known = [*world.state.accounts, *world.state.orders, *world.state.withdrawals, *world.state.timers]
    ids = st.one_of(st.sampled_from(known), ints)
    strategies = []
    for command in get_args(AnyCommand):
        hints = msgspec.structs.fields(command)
        strategies.append(
            st.builds(
                command,
                **{
                    field.name: ids
                    if field.name.endswith("_id") and field.type is int
                    else st.from_type(field.type)
                    for field in hints
                },
            )
        )
    accounts = st.one_of(st.sampled_from(list(world.state.accounts)), ints)
    return st.lists(st.tuples(accounts, st.one_of(strategies)), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(commands())
def test_no_well_typed_command_raises_and_all_that_is_accepted_can_be_written(
    steps: list[tuple[int, AnyCommand]],
) -> None:
    world = busy_world()
    mirror = Mirror(world.state)
    world.ids["any"] = 0
    for account_id, command in steps:
        world.ids["any"] = account_id
        applied = world.do(command, "any")  # all invariants hold after it
        for number in ints_in(msgspec.to_builtins(applied.events)):
            assert -BIGINT_MAX - 1 <= number <= BIGINT_MAX
        mirror.cut(world.state)
    for kind, rows in mirror.rows.items():
        for row in rows.values():
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=KINDS[kind].row_type) == row
            assert all(
                -BIGINT_MAX - 1 <= number <= BIGINT_MAX for number in ints_in(msgspec.to_builtins(row))
            )


def ints_in(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value]
    if isinstance(value, list | tuple):
        return [number for part in value for number in ints_in(part)]
    return []


def test_every_command_has_its_function() -> None:
    assert set(COMMANDS) == set(get_args(AnyCommand))


def test_a_refused_command_is_recorded_and_changes_nothing_else() -> None:
    world = busy_world()
    mirror = Mirror(world.state)
    applied = world.do(HaltSymbol("NOPE", ""))
    assert applied.recorded
    assert applied.seq == world.state.seq
    assert isinstance(applied.refused, Refused)
    assert applied.events == applied.answer
    assert {kind for kind, keys in world.state.dirty.items() if keys} <= {"clock", "client_order_id", "key"}
    mirror.cut(world.state)


def test_sequence_numbers_are_contiguous_and_ids_follow_from_them() -> None:
    world = World()
    world.open("ann", cash="1000")
    before = world.state.seq
    for step in (1, 2, 3):
        order = world.buy("ann", "1", "99")
        assert world.state.seq == before + step
        assert order.order_id == (before + step) * IDS_PER_SEQ


def test_commands_of_one_microsecond_are_done_in_their_order() -> None:
    world = World()
    world.open("ann", cash="1000")
    envelope = Envelope(Source.HTTP, 0, world.ids["ann"])
    now_us = world.now_us
    for command in (
        Deposit(1, "CARD"),
        PlaceOrder("AAPL", BUY, LIMIT, e8("1"), e4("99"), GTC),
        CancelAll(""),
    ):
        applied = apply(world.state, envelope, command, now_us)
        assert applied.now_us == world.state.last_us == now_us
    assert not world.state.orders


def test_an_answer_is_the_callers_part_of_the_events() -> None:
    world = World()
    world.open("ann", cash="1000", shares="10")
    world.open("bob", cash="1000")
    world.sell("ann", "1", "99")
    applied = world.place("bob", BUY, "1", "99")
    (answer,) = applied.answer
    assert answer in applied.events
    assert len(applied.events) == 6
    assert len(of_kind(applied, type(answer))) == 2


OF_THE_EXCHANGE = [command for command in get_args(AnyCommand) if command not in PARKING_COMMANDS]
"""Those of parking are tried in tests/engine/parking/test_parking_commands.py."""

REPLAY = """
import sys
from engine.apply import apply
from engine.state import State
from engine.state_hash import state_hash
from hashlib import blake2b
from msgspec.msgpack import encode
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands

state, naive, digest = State(), NaiveExchange(), blake2b(digest_size=16)
for envelope, command, now_us in RandomCommands(99, naive).steps(3_000):
    naive.apply(envelope, command, now_us)
    digest.update(encode(apply(state, envelope, command, now_us).events))
print(state_hash(state), digest.hexdigest())
"""


def test_a_replay_gives_the_same_events_and_hash_whatever_the_hash_seed() -> None:
    outcomes = set()
    for seed in ("0", "1", "4711"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", REPLAY],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        outcomes.add(run.stdout)
    state, naive = State(), NaiveExchange()
    for envelope, command, now_us in RandomCommands(99, naive).steps(3_000):
        naive.apply(envelope, command, now_us)
        apply(state, envelope, command, now_us)
    assert len(outcomes) == 1
    assert outcomes.pop().split()[0] == state_hash(state)


@pytest.mark.parametrize("command", OF_THE_EXCHANGE, ids=lambda command: command.__name__)
def test_every_command_survives_the_journal(command: type[msgspec.Struct]) -> None:
    """Commands are decoded from the journal by tag: the same command with the same values comes back."""
    example = msgspec.convert([command.__name__, *EXAMPLES[command.__name__]], command)
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(example), type=AnyCommand)
    assert back == example
    assert type(back) is command


REPORT = ["OrderUpdated", 1, 2, "A", 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 3, 0, 10, 11, "c", 0, 0, False]

EXAMPLES: dict[str, list[Any]] = {
    "SetInstrument": ["A", "A", "USD", 1, 1, 1, 1, 1, "c", 1, 1, "f"],
    "SetFees": ["f", 1, 2],
    "SetLimits": [1, 2, 3, 4, 5, 6, 7],
    "SetSettlement": ["XNYS", 2, [20_738, 20_768], [0, 10_000_000]],
    "SetCalendar": ["c", [[1, 2], [3, 4]]],
    "OpenAccount": [1, 1, "USD"],
    "SetAccountStatus": [1, 2, "r"],
    "Deposit": [1, "CARD"],
    "RequestWithdrawal": [1],
    "SettleWithdrawal": [1, True],
    "TransferIn": [1, "A", 2, 3],
    "AdjustCash": [1, -2, "a"],
    "SetLotMethod": [3],
    "DeclareDividend": [7, "AAPL", 24_000_000, 5, 6],
    "DeclareAction": [7, 1, "AAPL", 60_000_000, 2, 1],
    "PlaceOrder": ["A", 1, 2, 3, 4, 5, "c", 3],
    "CancelOrder": [1],
    "CancelAll": [""],
    "ReplaceOrder": [1, 2, 3, "c"],
    "MassQuote": ["A", [[1, 2]], [[3, 4]]],
    "Marks": [[["A", 1]]],
    "HaltSymbol": ["A", "r"],
    "ResumeSymbol": ["A"],
    "SetKillSwitch": [1, "", True, "r"],
    "SetRiskRule": [3, 2, [50, 300000000], 5, "A"],
    "SetKycTier": [5, 2],
    "LinkAccount": [5, "g", "r"],
    "BustTrade": [1, 2, "A", 3, 4, 5, 1, 6, 7, 8, 9, 10, 11, [[1, 2, 3, 4]], 12, "r", REPORT],
    "FireTimer": [1],
}


def test_a_command_that_makes_more_ids_than_it_has_is_a_fault() -> None:
    """The next command's ids begin there: no two things may ever share one."""
    turn = Turn(World().state, 7, 1)
    assert turn.new_id(IDS_PER_SEQ) == 7 * IDS_PER_SEQ
    turn.finish()
    turn.new_id()
    with pytest.raises(OverflowError, match="command 7 made more than"):
        turn.finish()
