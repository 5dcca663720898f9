"""The documentation of the routes of notifications."""

from __future__ import annotations

from typing import Any, Final, Literal

from handlers.notifications import NotificationId, NotificationJson, ReadBody, ReadJson
from handlers.openapi_doc import LIMIT, ORDER_CURSOR, Doc, Example, Link, PageMeta, Query, Tag
from server.errors import NotFound

_UNREAD_ONLY: Any = Query(
    "unread_only", Literal["true", "false"], "Only those that have not been read.", default="false"
)


class UnreadMeta(PageMeta, frozen=True, omit_defaults=True, kw_only=True):
    """As of which journal sequence, how to go on, and how many have not been read, counted to 1 000."""

    unread: int


NOTIFICATIONS: Final = {
    "GET /api/v1/notifications": Doc(
        operation="list_notifications",
        summary="What the user has been told, newest first",
        tag=Tag.NOTIFICATIONS,
        about="Orders that began to fill, are done or ended without being asked to; money and shares that came or went; the "
        "account disabled or enabled. Without the kinds that the preferences silence. The channel `notifications` goes on from "
        "`meta.as_of_seq`.",
        answer=list[NotificationJson],
        meta=UnreadMeta,
        query=(_UNREAD_ONLY, ORDER_CURSOR, LIMIT),
        database=True,
        errors=(NotFound,),
        links=(Link("read_notification", "notification_id", "/data/0/notification_id"),),
        examples=(
            Example(name="all", summary="The newest fifty", given="a filled order"),
            Example(
                name="unread",
                summary="The newest that was not read",
                given="a filled order",
                query={"unread_only": "true", "limit": "1"},
            ),
            Example(
                name="perhaps",
                summary="Neither true nor false",
                query={"unread_only": "perhaps"},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
    "POST /api/v1/notifications/{notification_id}/read": Doc(
        operation="read_notification",
        summary="Mark one as read",
        tag=Tag.NOTIFICATIONS,
        about="As often as wanted: `read_at` stays what it was the first time.",
        answer=NotificationJson,
        path={"notification_id": NotificationId},
        database=True,
        errors=(NotFound,),
        examples=(
            Example(
                name="one",
                summary="A deposit that was seen",
                given="a notification",
                path={"notification_id": "ntf_1750073344"},
            ),
            Example(
                name="missing",
                summary="One that is not yours, or was never",
                path={"notification_id": "ntf_1"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
    "POST /api/v1/notifications/read": Doc(
        operation="read_notifications",
        summary="Mark all up to one as read",
        tag=Tag.NOTIFICATIONS,
        about="`up_to` is the newest that was shown: one that has come in between stays unread.",
        body=ReadBody,
        answer=ReadJson,
        database=True,
        errors=(NotFound,),
        examples=(
            Example(name="shown", summary="What was shown", body={"up_to": "ntf_9223372036854775807"}),
            Example(
                name="number",
                summary="A number is no id",
                body={"up_to": 1},
                status=400,
                code="BAD_REQUEST",
            ),
        ),
    ),
}
