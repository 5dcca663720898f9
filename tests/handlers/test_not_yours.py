"""What a caller may not see does not exist, and nothing private answers without a good token, over a real socket."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.handlers.small_kerb import SECRET, SmallKerb


async def test_other_peoples_objects_do_not_exist(small: SmallKerb) -> None:
    owner = await small.trader("owner", cash="1000")
    other = await small.trader("other", cash="1000")
    open_id = (await owner.place("BUY", "1", "90")).data["order_id"]
    closed_id = (await owner.place("BUY", "1", "90")).data["order_id"]
    await owner("DELETE", f"/orders/{closed_id}")
    transaction_id = (await owner("GET", "/wallet/transactions")).data[0]["transaction_id"]
    withdrawal_id = (await owner("POST", "/wallet/withdraw", {"amount": 1})).data["transaction_id"]
    for order_id in (open_id, closed_id):
        for method, path, body in (
            ("GET", f"/orders/{order_id}", None),
            ("GET", f"/orders/{order_id}/executions", None),
            ("DELETE", f"/orders/{order_id}", None),
            ("PATCH", f"/orders/{order_id}", {"price": 80}),
        ):
            reply = await other(method, path, body)
            assert (reply.status, reply.code) == (404, "ORDER_NOT_FOUND"), (method, path)
    for known in (transaction_id, withdrawal_id):
        assert (await owner("GET", f"/wallet/transactions/{known}")).status == 200
        assert (await other("GET", f"/wallet/transactions/{known}")).status == 404
    assert (await owner("GET", f"/orders/{open_id}")).data["status"] == "PENDING"


def token(claims: dict[str, object], secret: str = SECRET) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "UNAUTHENTICATED"),
        ("", "UNAUTHENTICATED"),
        ("Bearer", "UNAUTHENTICATED"),
        ("Bearer ", "UNAUTHENTICATED"),
        ("Basic YTpi", "UNAUTHENTICATED"),
        ("Bearer x.y.z", "UNAUTHENTICATED"),
        ("Bearer " + "x" * 6_000, "UNAUTHENTICATED"),
        ("expired", "TOKEN_EXPIRED"),
        ("forged", "UNAUTHENTICATED"),
        ("unsigned", "UNAUTHENTICATED"),
    ],
)
async def test_without_a_good_token_nothing_private_answers(
    small: SmallKerb, header: str | None, code: str
) -> None:
    claims = {"iss": "kerb", "sub": "1000", "sid": 1, "acc": 1, "roles": ["admin", "trader"], "exp": 2**40}
    made = {
        "expired": "Bearer " + token(claims | {"exp": 1_000}),
        "forged": "Bearer " + token(claims, "another-secret-of-the-same-length-0123456789"),
        "unsigned": "Bearer eyJhbGciOiJub25lIn0." + token(claims).split(".")[1] + ".",
    }
    headers = {} if header is None else {"Authorization": made.get(header, header)}
    anybody = small.anonymous()
    for method, path in (
        ("GET", "/wallet/balance"),
        ("POST", "/orders"),
        ("GET", "/portfolio"),
        ("POST", "/admin/kill-switch"),
    ):
        reply = await anybody(method, path, headers=headers)
        assert (reply.status, reply.code) == (401, code), (method, path, reply)
    assert (await anybody("GET", "/stocks/AAPL/quote", headers=headers)).status == 200
