"""What a gate's display says to the driver, for each reason of a decision. Short: displays have one or two lines."""

from __future__ import annotations

from typing import Final

from engine.parking.kinds import DecisionReason as Reason

TEXTS: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_GATE: "Out of service",
    Reason.GATE_LOCKED: "Closed, please use another gate",
    Reason.LANE_BUSY: "Please wait for the vehicle ahead",
    Reason.WRONG_DIRECTION: "Not this way",
    Reason.MALFORMED_TAG: "Not readable, please call us",
    Reason.UNKNOWN_TAG: "Unknown, please take a ticket",
    Reason.TAG_REVOKED: "No longer valid, please call us",
    Reason.BLOCKED: "Please call us",
    Reason.CODE_FORGED: "Not valid, please call us",
    Reason.CODE_EXPIRED: "Code is over, please show a new one",
    Reason.CODE_VOID: "Booking cancelled or over",
    Reason.TOO_HIGH: "Vehicle too high",
    Reason.BOOKING: "Welcome",
    Reason.PASS: "Welcome",
    Reason.TICKET: "Welcome",
    Reason.WALLET: "Welcome",
    Reason.ALREADY_INSIDE: "Already inside, please call us",
    Reason.WRONG_LOT: "Booked elsewhere",
    Reason.TOO_EARLY: "Too early",
    Reason.TOO_LATE: "Your booking is over",
    Reason.WRONG_TIME: "Not at this time",
    Reason.LOT_FULL: "Full",
    Reason.LOT_CLOSED: "Closed",
    Reason.DEBT: "Please settle your account",
    Reason.EXIT_PAID: "Paid, goodbye",
    Reason.EXIT_CHARGED: "Charged, goodbye",
    Reason.EXIT_DEBT: "Goodbye, please settle your account",
    Reason.EXIT_GRACE: "Free of charge, goodbye",
    Reason.NO_STAY: "No entry known, please call us",
    Reason.OPERATOR: "Please proceed",
}
