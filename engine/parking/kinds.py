"""The closed vocabularies of parking: types, features, states, rights, directions, reasons. Source: docs/parking.md.

The numbers stand in the journal and in the tables: new members get new numbers, none is ever used again.
"""

from __future__ import annotations

from enum import IntEnum


class LotStatus(IntEnum):
    """Whether a lot takes anybody in. A CLOSED one sells nothing new and lets everybody out."""

    OPEN = 1
    CLOSED = 2


class SpaceType(IntEnum):
    """What a space is for."""

    STANDARD = 1
    COMPACT = 2
    LARGE = 3
    ACCESSIBLE = 4
    EV = 5
    MOTORCYCLE = 6
    VIP = 7


class Feature(IntEnum):
    """What a space has more than others; a set of them is the sum of their numbers."""

    COVERED = 1
    NEAR_LIFT = 2
    CHARGER = 4


FEATURES_ALL = 7
"""Every feature at once."""


class SpaceState(IntEnum):
    """Whether a space is allocated."""

    ACTIVE = 1
    MAINTENANCE = 2  # not now: what is booked on it is moved
    RETIRED = 3  # never again


class Direction(IntEnum):
    """Which way a gate lets vehicles through."""

    ENTRY = 1
    EXIT = 2
    BOTH = 3


class VehicleKind(IntEnum):
    """How much room a vehicle needs, ascending."""

    MOTORCYCLE = 1
    COMPACT = 2
    STANDARD = 3
    LARGE = 4


class VehicleRight(IntEnum):
    """What lets a vehicle or its user stand on spaces that are not for everybody; a set is the sum of the numbers."""

    ACCESSIBLE = 1
    VIP = 2
    ELECTRIC = 4


RIGHTS_ALL = 7
"""Every right at once."""


class UserType(IntEnum):
    """What allocation prefers for somebody."""

    STANDARD = 1
    PREMIUM = 2
    ACCESSIBLE = 3


class TagStatus(IntEnum):
    """What a tag opens: a REVOKED one nothing."""

    ACTIVE = 1
    REVOKED = 2


class BookingStatus(IntEnum):
    """Where a booking stands. Those up to ARRIVED are open: they take a space."""

    HELD_OFFER = 1  # offered to somebody on the waiting list; nothing is held on the wallet yet
    CONFIRMED = 2
    ARRIVED = 3
    COMPLETED = 4
    CANCELLED = 5
    NO_SHOW = 6
    EXPIRED = 7  # an offer that was not taken


class StayStatus(IntEnum):
    """Where a stay stands."""

    INSIDE = 1
    ENDED = 2


class EntryRight(IntEnum):
    """What let a vehicle in, in the order in which they are looked for."""

    BOOKING = 1
    PASS = 2
    TICKET = 3
    WALLET = 4
    OPERATOR = 5


class TicketStatus(IntEnum):
    """Where a walk-in's ticket stands."""

    ISSUED = 1  # not inside yet
    INSIDE = 2
    PAID = 3  # inside, and free to leave for some minutes
    CLOSED = 4


class PassKind(IntEnum):
    """When a pass is good."""

    SEASON = 1  # at all times from its begin to its end
    RECURRING = 2  # on its weekdays, between its hours


class PassStatus(IntEnum):
    """Where a pass stands."""

    ACTIVE = 1
    ENDED = 2
    CANCELLED = 3


class WaitingStatus(IntEnum):
    """Where an entry of the waiting list stands."""

    WAITING = 1
    OFFERED = 2  # a space is held for it
    TAKEN = 3
    LEFT = 4  # by its owner, or its time is over, or the offer was not taken


class EstateProblem(IntEnum):
    """What is wrong with a row of the estate; a refusal's detail names them by row."""

    CODE = 1  # 1 to 32 letters, digits, '-', '_' or '.'
    TEXT = 2  # too long, or empty
    FLOOR_UNKNOWN = 3
    LOT_UNKNOWN = 4
    LOT_OTHER = 5  # a row of an import that is of another lot
    HEIGHT = 6  # 0 (none) to 1 000 cm
    DISTANCE = 7  # 0 to 10 000 m
    CHARGER = 8  # kW without CHARGER, or CHARGER without kW, or more than 1 000
    FEATURES = 9
    DOUBLE = 10  # the same key twice in an import
    TOO_MANY = 11
    CURRENCY = 12  # money of one currency cannot become that of another
    RULES = 13
    LEVEL = 14
    LANES = 15
    GATE_ELSEWHERE = 16  # the gate's id is that of a gate of another lot
    IN_USE = 17  # its type cannot change, nor can it be retired, while somebody has it
    ZONE = 18  # the time zone cannot change while bookings are open: they are priced by it


class DecisionReason(IntEnum):
    """Why a gate opens or does not, in the order of docs/parking.md, "Gates"."""

    UNKNOWN_GATE = 1
    GATE_LOCKED = 2
    LANE_BUSY = 3
    WRONG_DIRECTION = 4
    MALFORMED_TAG = 11
    UNKNOWN_TAG = 12
    TAG_REVOKED = 13
    BLOCKED = 14
    CODE_FORGED = 15
    CODE_EXPIRED = 16
    CODE_VOID = 17
    TOO_HIGH = 21
    BOOKING = 31
    PASS = 32
    TICKET = 33
    WALLET = 34
    ALREADY_INSIDE = 41
    WRONG_LOT = 42
    TOO_EARLY = 43
    TOO_LATE = 44
    WRONG_TIME = 45
    LOT_FULL = 46
    LOT_CLOSED = 47
    DEBT = 48
    EXIT_PAID = 51
    EXIT_CHARGED = 52
    EXIT_DEBT = 53
    EXIT_GRACE = 54
    NO_STAY = 61
    OPERATOR = 71


class ChargeKind(IntEnum):
    """What money was taken for."""

    STAY = 1
    CANCELLATION = 2
    NO_SHOW = 3
    TICKET = 4
    LOST_TICKET = 5
    PASS = 6


class FindingKind(IntEnum):
    """What operators are told of: nothing that happened is undone for it."""

    SPACE_CONTESTED = 1  # two have a right to one space, and there is no other
    MAINTENANCE_STUCK = 2  # a booking stays on a space in maintenance: there is no other
    NO_SPACE = 3  # a vehicle is inside and no space is left for it
    TAILGATING = 4  # passed without a decision to open
    OFFLINE_CONFLICT = 5  # what a gate did alone does not fit together
    NOT_PASSED = 6  # opened, and nobody passed
    WRONG_CLOCK = 7  # a gate said a time that cannot be: the passage counts as of now
    LOW_CONFIDENCE = 8  # a camera was not sure of a plate
