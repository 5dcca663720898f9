"""From the bytes of a message to what it does and to its answer. An error never ends a good session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from handlers.ws_messages import (
    ACTIONS,
    Cancel,
    Heading,
    MessageId,
    Ping,
    Place,
    PlainBatch,
    PlainPlace,
    SignIn,
    Subscribe,
    Unsubscribe,
    decode_heading,
    decode_loose_batch,
    decode_message,
    decode_place,
    error_text,
    id_member,
    ok_text,
)
from handlers.ws_orders import OrderDesk, error_answer, problem_text
from handlers.ws_session import Session
from handlers.ws_subscriptions import subscribe, unsubscribe
from server.errors import BadRequest, Forbidden, KerbError, Overloaded, Unauthenticated
from server.principal import Scope

UNKNOWN_ACTION: Final = "UNKNOWN_ACTION"
UNKNOWN_ACTION_MESSAGE: Final = "There is no such action."

PLACE: Final = "WS order.place"
CANCEL: Final = "WS order.cancel"
BATCH: Final = "WS orders.batch"
LOGGED: Final[Mapping[object, str]] = {"order.place": PLACE, "order.cancel": CANCEL, "orders.batch": BATCH}
"""Those actions that have a line in the log of calls, and what they are called there."""

MALFORMED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises for bytes that are not a message."""


async def handle(session: Session, data: bytes) -> None:
    """Carry out one message and answer it: at once, or when what it did is durable."""
    session.begin_message()
    try:
        message = decode_message(data)
    except MALFORMED as error:
        await _malformed(session, data, error)
        return
    session.good_message()
    try:
        unfinished = MESSAGES[type(message)](session, message)
        if unfinished is not None:
            await unfinished
    except KerbError as error:
        _refuse(session, error_answer(message.id, error), LOGGED.get(message.__struct_config__.tag, ""))
    await session.room()


def _refuse(session: Session, answer: bytes, route: str) -> None:
    """Answer a message of the right shape that cannot be carried out."""
    session.outlet.send(answer)
    session.note(route, answer)


def refuse_binary(session: Session) -> None:
    """A binary message: this subprotocol is JSON text."""
    session.bad_message(error_text(None, BadRequest.code, "send JSON as text"))


def _sign_in(session: Session, message: SignIn) -> None:
    session.count_call()
    try:
        session.sign_in(message.token)
    except (Unauthenticated, Forbidden) as refused:
        session.outlet.send(error_answer(message.id, refused))
        session.refused_sign_in(refused)
    else:
        if message.cancel_on_disconnect is not None:
            session.tie_orders(message.cancel_on_disconnect)
        session.outlet.send(ok_text(message.id))


def _ping(session: Session, message: Ping) -> None:
    session.outlet.send(b'{"type":"pong"%b}' % id_member(message.id))


def _desk(session: Session) -> OrderDesk:
    """Where the client's orders go. Raises Unauthenticated, Forbidden or ScopeMissing."""
    return OrderDesk(session.services, session.require_holder(Scope.TRADE), session.orders)


def _place(session: Session, message: PlainPlace | Place) -> None:
    admission = session.services.admission
    if admission.is_tight and admission.refuses():
        raise Overloaded
    seq, answer = _desk(session).place(message.id, message.order, message.idempotency_key, session.request_id)
    session.answer_when_durable(seq, answer, PLACE)


async def _cancel(session: Session, message: Cancel) -> None:
    seq, answer = await _desk(session).cancel(message.id, message.order_id, session.request_id)
    session.answer_when_durable(seq, answer, CANCEL)


async def _batch(session: Session, message: PlainBatch) -> None:
    await _run_batch(session, message.id, message.orders)


async def _run_batch(session: Session, message_id: MessageId, items: tuple[Any, ...]) -> None:
    desk = _desk(session)
    batch_max = session.services.settings.orders.batch_max
    if len(items) > batch_max:
        raise BadRequest("orders", f"at most {batch_max} in one batch")
    seq, answer = await desk.batch(message_id, items, session.request_id)
    session.answer_when_durable(seq, answer, BATCH)


MESSAGES: Final[dict[type, Callable[[Session, Any], Awaitable[None] | None]]] = {
    SignIn: _sign_in,
    Subscribe: subscribe,
    Unsubscribe: unsubscribe,
    Ping: _ping,
    PlainPlace: _place,
    Cancel: _cancel,
    PlainBatch: _batch,
}
"""Message → what carries it out."""


async def _malformed(session: Session, data: bytes, error: Exception) -> None:
    """Carry out what was not plain, and answer what is not what it should be, by its id where that can be read.

    A batch with malformed items is carried out all the same: each item has its own result.
    """
    heading = _heading(data)
    if heading is None:
        session.bad_message(error_text(None, BadRequest.code, problem_text(error)))
    elif heading.action not in ACTIONS:
        session.bad_message(error_text(heading.id, UNKNOWN_ACTION, UNKNOWN_ACTION_MESSAGE))
    elif heading.action == Place.__struct_config__.tag:
        await _with_terms(session, heading.id, data)
    elif heading.action == PlainBatch.__struct_config__.tag and (items := _loose_items(data)):
        session.good_message()
        try:
            await _run_batch(session, heading.id, items)
        except KerbError as refused:
            _refuse(session, error_answer(heading.id, refused), BATCH)
        await session.room()
    else:
        answer = error_text(heading.id, BadRequest.code, problem_text(error))
        session.bad_message(answer)
        session.note(LOGGED.get(heading.action, ""), answer)


async def _with_terms(session: Session, message_id: MessageId, data: bytes) -> None:
    """An order that is not plain, or malformed."""
    try:
        message = decode_place(data)
    except MALFORMED as error:
        answer = error_text(message_id, BadRequest.code, problem_text(error))
        session.bad_message(answer)
        session.note(PLACE, answer)
        return
    session.good_message()
    try:
        _place(session, message)
    except KerbError as refused:
        _refuse(session, error_answer(message_id, refused), PLACE)
    await session.room()


def _heading(data: bytes) -> Heading | None:
    """What can be read of a malformed message; None when it is no JSON object at all."""
    try:
        return decode_heading(data)
    except MALFORMED:
        return None


def _loose_items(data: bytes) -> tuple[msgspec.Raw, ...]:
    """The items of a batch one of which is malformed; none when more than that is wrong."""
    try:
        return decode_loose_batch(data).orders
    except MALFORMED:
        return ()
