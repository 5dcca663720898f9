"""The channel `notifications` over a real socket: the same as the rows, each once, in order, resumable."""

from __future__ import annotations

from tests.handlers.small_kerb import SmallKerb
from tests.handlers.test_websocket_private import follow_each_other
from tests.handlers.websocket_user import connected


async def test_what_is_streamed_is_what_get_says(small: SmallKerb) -> None:
    maker, user = await small.trader("maker", units=9), await small.trader("user", cash="10000")
    known = (await user("GET", "/notifications")).meta["as_of_seq"]
    async with connected(small, user) as stream, connected(small, maker) as other:
        answer = await stream.ask("subscribe", channels=["notifications"], resume_from=known)
        assert answer["channels"] == {"notifications": {"seq": known}}
        await other.ask("subscribe", channels=["notifications"])
        await user.place("BUY", "9", "100")
        for units in ("4", "5"):
            await maker.place("SELL", units, "100")
        await user.deposit("3")
        mine = [await stream.on("notifications") for _ in range(3)]
        theirs = [await other.on("notifications") for _ in range(2)]

        assert [set(message) for message in mine] == [{"channel", "seq", "prev_seq", "data"}] * 3
        assert mine[0]["prev_seq"] <= known < mine[0]["seq"]
        assert follow_each_other(mine)
        rows = (await user("GET", "/notifications?limit=3")).data
        assert [message["data"] for message in mine] == rows[::-1]
        assert [message["data"]["kind"] for message in theirs] == ["ORDER_FILLED"] * 2
        assert [message["data"]["body"] for message in theirs] == [
            "Sold 4 AAPL at 100.00 USD.",
            "Sold 5 AAPL at 100.00 USD.",
        ]


async def test_who_comes_back_is_told_what_was_missed(small: SmallKerb) -> None:
    user = await small.trader(cash="100")
    seqs = []
    async with connected(small, user) as stream:
        await stream.ask("subscribe", channels=["notifications"])
        await user.deposit("1")
        seqs.append((await stream.on("notifications"))["seq"])
    await user.deposit("2")
    async with connected(small, user) as stream:
        await stream.ask("subscribe", channels=["notifications"], resume_from=seqs[0])
        await user.deposit("3")
        missed = [await stream.on("notifications") for _ in range(2)]
    assert [message["data"]["amount"] for message in missed] == [2, 3]
    assert missed[0]["prev_seq"] == seqs[0]
    assert follow_each_other(missed)


async def test_one_command_s_notifications_have_the_same_sequence(small: SmallKerb) -> None:
    operator, user = await small.admin(), await small.trader(cash="1000")
    placed = [(await user.place("BUY", "1", price)).data["order_id"] for price in ("90", "91", "92")]
    async with connected(small, user) as stream:
        await stream.ask("subscribe", channels=["notifications"])
        switch = {"scope": "SYMBOL", "target": "AAPL", "on": True, "reason": "a test"}
        assert (await operator("POST", "/admin/kill-switch", switch)).status == 200
        told = [await stream.on("notifications") for _ in range(3)]
    assert {message["data"]["order_id"] for message in told} == set(placed)
    assert len({message["data"]["notification_id"] for message in told}) == 3
    assert len({message["seq"] for message in told}) == 1
    assert [message.get("more", False) for message in told] == [True, True, False]
