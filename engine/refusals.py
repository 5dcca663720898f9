"""Why a command is refused: one ordered table. Within a stage the lower number is decided first.

A refusal is a value, not an exception. Its name is the stable code that clients see. Stages: 1xx who asks
and idempotency, 2xx what is asked for (instrument, order, session), 3xx form of the order, 4xx risk and
money, 9xx the system itself.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Refusal(IntEnum):
    """Every reason for which the engine turns a command down."""

    # who asks
    IDEMPOTENCY_KEY_REUSED = 101
    IDEMPOTENCY_CAPACITY = 102
    ACCOUNT_NOT_FOUND = 103
    ACCOUNT_EXISTS = 104
    ACCOUNT_DISABLED = 105
    DUPLICATE_CLIENT_ORDER_ID = 106
    # what is asked for
    UNKNOWN_SYMBOL = 201
    ORDER_NOT_FOUND = 202
    ORDER_NOT_OPEN = 203
    WITHDRAWAL_NOT_FOUND = 204
    TIMER_NOT_FOUND = 205
    KILL_SWITCH_ON = 206
    SYMBOL_HALTED = 207
    SESSION_CLOSED = 208
    CURRENCY_MISMATCH = 209
    SYMBOL_NOT_HALTED = 210
    CALENDAR_NOT_FOUND = 211
    TRADE_BUSTED = 212
    TRADE_TOO_OLD = 213
    TRADE_NOT_FOUND = 214
    LOT_NOT_FOUND = 215
    LOT_TAKEN = 216
    TRADE_BEFORE_ACTION = 217
    INSTRUMENT_DELISTED = 218
    ACTION_EXISTS = 219
    # what is asked for, in parking
    PARKING_LOT_NOT_FOUND = 231
    VEHICLE_NOT_FOUND = 232
    TAG_NOT_FOUND = 233
    PLATE_TAKEN = 234
    TAG_TAKEN = 235
    SPACE_NOT_FOUND = 236
    BOOKING_NOT_FOUND = 237
    BOOKING_NOT_OPEN = 238
    BOOKING_OVERLAPS = 239
    STAY_NOT_FOUND = 240
    GATE_NOT_FOUND = 241
    GATE_COUNTER_USED = 242
    TICKET_NOT_FOUND = 243
    TICKET_EXISTS = 244
    TICKET_PAID = 245
    PASS_NOT_FOUND = 246
    WAITING_NOT_FOUND = 247
    DEBT_NOT_FOUND = 248
    TARIFF_NOT_FOUND = 249
    ZONE_NOT_FOUND = 250
    PARKING_LOT_CLOSED = 251
    VEHICLE_IN_USE = 252
    CAMERA_NOT_FOUND = 253
    CAMERA_TIME_USED = 254
    # form
    INVALID_QUANTITY = 301
    INVALID_LOT_SIZE = 302
    INVALID_PRICE = 303
    INVALID_TICK_SIZE = 304
    INVALID_AMOUNT = 305
    INVALID_REPLACE = 306
    INVALID_INSTRUMENT = 307
    INVALID_QUOTE = 308
    INVALID_LIMITS = 309
    INVALID_CALENDAR = 310
    INVALID_TERMS = 311
    INVALID_ACTION = 312
    INVALID_RISK_RULE = 319
    INVALID_ESTATE = 331
    INVALID_VEHICLE = 332
    INVALID_TAG = 333
    INVALID_INTERVAL = 334
    INVALID_PASS = 335
    INVALID_TICKET = 336
    INVALID_TARIFF = 338
    INVALID_ZONE = 339
    INVALID_GATE_ORDER = 341
    INVALID_CAMERA = 342
    # risk and money
    NO_REFERENCE_PRICE = 401
    PRICE_OUT_OF_BAND = 402
    ORDER_TOO_LARGE = 403
    ORDER_VALUE_TOO_LARGE = 404
    TOO_MANY_OPEN_ORDERS = 405
    INSUFFICIENT_FUNDS = 406
    INSUFFICIENT_SHARES = 407
    FILL_OR_KILL = 408
    BALANCE_LIMIT = 409
    BUYER_LACKS_SHARES = 410
    SELLER_LACKS_FUNDS = 411
    STOP_PRICE_REACHED = 412
    POST_ONLY_WOULD_TAKE = 413
    NOTIONAL_TOO_SMALL = 414
    UNSETTLED_FUNDS = 415
    # risk rules (engine/risk_rules.py), by the names of kinds.RiskRule
    FAT_FINGER = 421
    ORDER_RATE_LIMIT = 422
    RAPID_TRADING = 423
    UNUSUAL_VOLUME = 424
    PENNY_STOCK_ALERT = 425
    POSITION_LIMIT = 426
    KYC_LIMIT = 427
    DAILY_LOSS_LIMIT = 428
    PDT_VIOLATION = 429
    WASH_TRADE = 430
    # space and money in parking
    PARKING_FULL = 441
    VEHICLE_DOES_NOT_FIT = 442
    PRICE_CHANGED = 443
    QUOTE_EXPIRED = 444
    PARKING_DEBT = 445
    TOO_MANY_BOOKINGS = 446
    WAITING_LIST_FULL = 447
    # the system itself
    ENGINE_FAULT = 901


RETRYABLE: Final = frozenset({Refusal.IDEMPOTENCY_CAPACITY, Refusal.ORDER_RATE_LIMIT})
"""Refusals that the same command may survive later. They never consume an idempotency key."""
