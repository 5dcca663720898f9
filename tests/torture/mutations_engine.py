"""Seeded bugs of the engine: money, matching, time and what is answered twice. Tried by tests/torture/mutations.py."""

from __future__ import annotations

from typing import Final

from tests.torture.mutation import Mutation

LEDGER: Final = "tests/engine/test_ledger.py::"
MATCHING: Final = "tests/engine/test_matching.py::"
TRADING: Final = "tests/engine/test_trading.py::"
UNITS: Final = "tests/engine/test_units.py::"
IDEMPOTENCY: Final = "tests/engine/test_idempotency.py::"
SETTLEMENT: Final = "tests/engine/test_settlement.py::"

MONEY: Final = (
    Mutation(
        "the hold of a buy",
        "engine/trading.py",
        "        account.held_e4 += order.hold_e4\n",
        "        account.held_e4 += 0\n",
        (
            f"{TRADING}test_an_accepted_order_answers_with_itself_and_reports_book_and_balance",
            f"{TRADING}test_cancel_releases_the_hold",
        ),
    ),
    Mutation(
        "the hold of a sell",
        "engine/trading.py",
        "        position.held_e8 += order.quantity_e8 - order.filled_e8\n",
        "        position.held_e8 += 0\n",
        (f"{LEDGER}test_a_sell_holds_its_units",),
    ),
    Mutation(
        "the release of a hold, once",
        "engine/closing.py",
        "        account.held_e4 -= order.hold_e4\n",
        "        account.held_e4 -= 2 * order.hold_e4\n",
        (f"{TRADING}test_cancel_releases_the_hold",),
    ),
    Mutation(
        "the release of a withdrawal, once",
        "engine/accounts.py",
        "    del state.withdrawals[withdrawal.withdrawal_id]\n",
        "",
        ("tests/engine/test_accounts.py::test_a_withdrawal_is_held_and_then_captured_or_released_once",),
    ),
    Mutation(
        "what is held is not spent",
        "engine/risk.py",
        "        available_e4 = account.cash_e4 - account.held_e4 + freed_e4\n",
        "        available_e4 = account.cash_e4 + freed_e4\n",
        (f"{LEDGER}test_of_two_buys_that_the_balance_covers_once_one_is_accepted",),
    ),
    Mutation(
        "settled cash, used once",
        "engine/settlement.py",
        "    lacking_e4 = account.unsettled_e4 - (account.cash_e4 - account.leaving_e4)\n",
        "    lacking_e4 = account.unsettled_e4 - account.cash_e4\n",
        (f"{SETTLEMENT}test_money_that_waits_for_the_bank_buys_nothing",),
    ),
    Mutation(
        "unsettled cash is not paid out",
        "engine/settlement.py",
        "    free_e4 = account.cash_e4 - account.unsettled_e4 - account.held_e4\n",
        "    free_e4 = account.cash_e4 - account.held_e4\n",
        (f"{SETTLEMENT}test_proceeds_are_cash_at_once_and_can_be_taken_out_a_day_later",),
    ),
    Mutation(
        "the hold of a pair, once",
        "engine/links.py",
        "    return special.is_armed and (not special.group_id or order.order_type is LIMIT)\n",
        "    return special.is_armed\n",
        ("tests/engine/test_links.py::test_a_pair_of_sells_holds_its_units_once",),
    ),
    Mutation(
        "the fee",
        "engine/ledger.py",
        "    fee_e4 = due_e4 - order.fee_e4\n",
        "    fee_e4 = 0\n",
        (f"{LEDGER}test_a_fill_moves_cash_units_and_fees",),
    ),
    Mutation(
        "the fee on the cumulative notional",
        "engine/ledger.py",
        "    fee_e4 = due_e4 - order.fee_e4\n",
        "    fee_e4 = due_e4\n",
        (f"{LEDGER}test_fees_are_charged_on_the_cumulative_notional",),
    ),
    Mutation(
        "the rounding of a fill",
        "engine/units.py",
        "    return price_e4 * quantity_e8 // QUANTITY_SCALE\n",
        "    return -(-price_e4 * quantity_e8 // QUANTITY_SCALE)\n",
        (f"{UNITS}test_each_rounding_goes_its_way",),
    ),
    Mutation(
        "the rounding of a hold",
        "engine/units.py",
        "    rest_e4 = (price_e4 * rest_e8 + QUANTITY_ROUND_UP) // QUANTITY_SCALE\n",
        "    rest_e4 = price_e4 * rest_e8 // QUANTITY_SCALE\n",
        (f"{UNITS}test_each_rounding_goes_its_way",),
    ),
    Mutation(
        "the rounding of a fee",
        "engine/units.py",
        "    return (maker_notional_e4 * maker_ppm + taker_notional_e4 * taker_ppm + PPM_ROUND_UP) // PPM\n",
        "    return (maker_notional_e4 * maker_ppm + taker_notional_e4 * taker_ppm) // PPM\n",
        (f"{UNITS}test_each_rounding_goes_its_way",),
    ),
    Mutation(
        "a trade is busted once",
        "engine/bust.py",
        "    if command.trade_id in state.busts:\n",
        "    if not command.trade_id:\n",
        ("tests/engine/test_bust.py::test_twice_is_refused",),
    ),
)

TRADES: Final = (
    Mutation(
        "a fill has the maker's price",
        "engine/matching.py",
        "else maker_left_e8\n    price_e4 = level.price_e4\n",
        "else maker_left_e8\n    price_e4 = taker.limit_e4\n",
        (f"{MATCHING}test_a_trade_happens_at_the_price_of_the_order_that_was_there",),
    ),
    Mutation(
        "the best price first",
        "engine/book.py",
        "                heappush(self._heap, key)\n",
        "                self._heap.append(key)\n",
        (f"{MATCHING}test_the_best_price_trades_first",),
    ),
    Mutation(
        "time priority",
        "engine/matching.py",
        "        resting = level.first\n",
        "        resting = level.last\n",
        (f"{MATCHING}test_at_one_price_who_came_first_trades_first",),
    ),
    Mutation(
        "time priority after a restart",
        "engine/aggregates.py",
        '    for order in sorted(state.orders.values(), key=attrgetter("priority")):\n',
        "    for order in state.orders.values():\n",
        ("tests/engine/test_aggregates.py::test_queues_come_back_in_the_order_of_priority",),
    ),
    Mutation(
        "no account trades with itself",
        "engine/matching.py",
        "        if resting.account_id == account_id:\n",
        "        if not resting.account_id:\n",
        (f"{MATCHING}test_an_account_never_trades_with_itself",),
    ),
    Mutation(
        "fill or kill",
        "engine/risk.py",
        "        if found_e8 < order.quantity_e8:\n",
        "        if not found_e8:\n",
        (f"{MATCHING}test_fill_or_kill_trades_nothing_when_it_cannot_fill",),
    ),
    Mutation(
        "the end of an order for the day",
        "engine/sessions.py",
        "    if order.time_in_force in (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK):\n",
        "    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):\n",
        ("tests/engine/test_sessions.py::test_day_orders_expire_at_the_close_and_others_stay",),
    ),
    Mutation(
        "the order of timers",
        "engine/timers.py",
        "    heappush(turn.state.timer_heap, place_of(timer))\n",
        "    turn.state.timer_heap.append(place_of(timer))\n",
        ("tests/engine/test_timers.py::test_timers_come_in_the_order_of_what_is_due_then_of_their_ids",),
    ),
    Mutation(
        "a timer fires once",
        "engine/sessions.py",
        "    drop_timer(state, timer)\n    TIMERS",
        "    TIMERS",
        ("tests/engine/test_sessions.py::test_a_timer_fires_once_and_not_early",),
    ),
)

KEYS: Final = (
    Mutation(
        "a key has one effect",
        "engine/apply.py",
        "        remember(turn, envelope, answer)\n",
        "        pass\n",
        (f"{IDEMPOTENCY}test_a_hundred_times_the_same_key_is_one_order_and_one_answer",),
    ),
    Mutation(
        "a key has one command",
        "engine/apply.py",
        "    if known.digest != envelope.digest:\n",
        "    if not known:\n",
        (f"{IDEMPOTENCY}test_the_same_key_with_another_command_is_refused_and_changes_nothing",),
    ),
    Mutation(
        "a key belongs to its user",
        "engine/idempotency.py",
        "    record = state.keys.get((envelope.principal, envelope.key))\n",
        "    record = next((each for each in state.keys.values() if each.key == envelope.key), None)\n",
        (f"{IDEMPOTENCY}test_keys_belong_to_their_user",),
    ),
    Mutation(
        "a refusal that can be repeated uses no key up",
        "engine/apply.py",
        "    if envelope.key and not (type(result) is Refused and result.refusal in RETRYABLE):\n",
        "    if envelope.key:\n",
        ("tests/engine/test_risk_rules.py::test_a_throttled_order_keeps_no_idempotency_key",),
    ),
    Mutation(
        "what changed is marked for the database",
        "engine/closing.py",
        '        state.dirty["client_order_id"][key] = None\n',
        "",
        ("tests/engine/test_aggregates.py::test_dirty_marks_name_all_that_changed",),
    ),
)

ENGINE_MUTATIONS: Final = (*MONEY, *TRADES, *KEYS)
