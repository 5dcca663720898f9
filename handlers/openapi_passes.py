"""The documentation of passes and debts, and their rows of the route table."""

from __future__ import annotations

from typing import Any, Final

from engine.refusals import Refusal
from handlers import parking_debts, parking_passes
from handlers.openapi_doc import AsOfMeta, Doc, Example, Link, Tag, missing
from handlers.openapi_parking_parts import LOT_PATH, OF_AN_OFFER, P1
from handlers.parking_debts import DebtId, DebtJson, PaidDebtJson
from handlers.parking_passes import (
    BoughtPassJson,
    PassBody,
    PassId,
    PassQuoteBody,
    PassQuoteJson,
    SeasonPassJson,
)
from handlers.routing import BASE, HOLDER, PUBLIC, Route
from handlers.tariff_json import PassProductJson
from server.errors import NotFound
from server.rate_limits import LimitClass

_SOLD: Final = f"{BASE}/parking/lots/{{lot_id}}/passes"
_PASSES: Final = f"{BASE}/parking/passes"
_PASS: Final = f"{_PASSES}/{{pass_id}}"
_DEBTS: Final = f"{BASE}/parking/debts"
_PAY: Final = f"{_DEBTS}/{{debt_id}}/pay"
_CALLS: Final = LimitClass.CALLS
_MONTH: Final = {
    "lot_id": "lot_P1",
    "vehicle_id": "veh_1",
    "code": "MONTH",
    "from": "2023-11-20T00:00:00Z",
}
_NEAR: Final = "a vehicle near a car park"
_MINE: Final = {"pass_id": "pas_1"}
_OWN: Final = {"debt_id": "dbt_1"}
_NO_PASS: Final = missing(
    "A pass that does not exist, or is somebody else's", {"pass_id": "pas_99"}, "PASS_NOT_FOUND"
)
_OF_A_PASS: Final = (*OF_AN_OFFER, Refusal.PASS_NOT_FOUND, Refusal.INVALID_PASS)

PASS_ROUTES: Final = (
    Route("GET", _SOLD, parking_passes.products, PUBLIC, _CALLS),
    Route("POST", f"{_PASSES}/quotes", parking_passes.quotes, HOLDER, _CALLS),
    Route("POST", _PASSES, parking_passes.buy, HOLDER, _CALLS),
    Route("GET", _PASSES, parking_passes.passes, HOLDER, _CALLS),
    Route("GET", _PASS, parking_passes.one, HOLDER, _CALLS),
    Route("DELETE", _PASS, parking_passes.cancel, HOLDER, _CALLS),
    Route("GET", _DEBTS, parking_debts.debts, HOLDER, _CALLS),
    Route("POST", _PAY, parking_debts.pay, HOLDER, _CALLS),
)

PASSES: Final[dict[str, Any]] = {
    f"GET {_SOLD}": Doc(
        operation="list_pass_products",
        summary="Passes that a car park sells",
        tag=Tag.PARKING,
        about="By its tariff as it is now. A RECURRING one is good on its weekdays between its times of the car park's clock.",
        answer=list[PassProductJson],
        meta=AsOfMeta,
        path=LOT_PATH,
        errors=(NotFound,),
        examples=(Example(name="all", summary="All", given="a car park", path=P1),),
    ),
    f"POST {_PASSES}/quotes": Doc(
        operation="quote_pass",
        summary="What a pass would cost",
        tag=Tag.PARKING,
        about="It may be bought at this `tariff_version` for ten minutes. Whatever buying it would be refused for, the quote is too, but for "
        "money. Nothing changes.",
        body=PassQuoteBody,
        answer=PassQuoteJson,
        meta=AsOfMeta,
        refusals=_OF_A_PASS,
        examples=(
            Example(name="month", summary="30 days", given=_NEAR, body=_MONTH),
            Example(
                name="unsold",
                summary="A pass that the car park does not sell",
                given=_NEAR,
                body=_MONTH | {"code": "DECADE"},
                status=422,
                code="PASS_NOT_FOUND",
            ),
        ),
    ),
    f"POST {_PASSES}": Doc(
        operation="buy_pass",
        summary="Buy a pass",
        tag=Tag.PARKING,
        about="Paid from the wallet at once; from its begin on the gate opens for the vehicle at no further charge. With `tariff_version` at "
        "the price of a quote of the last ten minutes; with `max_price` never for more.",
        body=PassBody,
        answer=BoughtPassJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(*_OF_A_PASS, Refusal.INVALID_AMOUNT),
        links=(Link("get_pass", "pass_id", "/data/pass_id"),),
        examples=(
            Example(name="month", summary="30 days", given=_NEAR, body=_MONTH),
            Example(
                name="cheap",
                summary="It costs more than what was accepted",
                given=_NEAR,
                body=_MONTH | {"max_price": 1},
                status=422,
                code="PRICE_CHANGED",
            ),
        ),
    ),
    f"GET {_PASSES}": Doc(
        operation="list_passes",
        summary="Your passes",
        tag=Tag.PARKING,
        about="Those that are not over, by their begin.",
        answer=list[SeasonPassJson],
        meta=AsOfMeta,
        examples=(Example(name="all", summary="All of them", given="a pass"),),
    ),
    f"GET {_PASS}": Doc(
        operation="get_pass",
        summary="A pass",
        tag=Tag.PARKING,
        answer=SeasonPassJson,
        meta=AsOfMeta,
        path={"pass_id": PassId},
        in_path=True,
        refusals=(Refusal.PASS_NOT_FOUND,),
        examples=(Example(name="mine", summary="One of yours", given="a pass", path=_MINE), _NO_PASS),
    ),
    f"DELETE {_PASS}": Doc(
        operation="cancel_pass",
        summary="Give a pass back",
        tag=Tag.PARKING,
        about="It is good no more, and a reserved space is free. What was paid stays paid: an operator may decide otherwise.",
        answer=SeasonPassJson,
        meta=AsOfMeta,
        path={"pass_id": PassId},
        in_path=True,
        command=True,
        refusals=(Refusal.PASS_NOT_FOUND,),
        examples=(Example(name="mine", summary="One of yours", given="a pass", path=_MINE), _NO_PASS),
    ),
}

DEBTS: Final[dict[str, Any]] = {
    f"GET {_DEBTS}": Doc(
        operation="list_parking_debts",
        summary="What you owe for parking",
        tag=Tag.PARKING,
        about="What your account owes is paid by the next deposit, first of all. What a plate of yours owes, from before it was yours too, "
        "only you can pay here.",
        answer=list[DebtJson],
        meta=AsOfMeta,
        examples=(Example(name="all", summary="A plate's", given="a debt"),),
    ),
    f"POST {_PAY}": Doc(
        operation="pay_parking_debt",
        summary="Pay a debt",
        tag=Tag.PARKING,
        about="All of it, from the wallet.",
        answer=PaidDebtJson,
        meta=AsOfMeta,
        path={"debt_id": DebtId},
        in_path=True,
        command=True,
        refusals=(
            *(Refusal.DEBT_NOT_FOUND, Refusal.ACCOUNT_NOT_FOUND, Refusal.ACCOUNT_DISABLED),
            *(Refusal.CURRENCY_MISMATCH, Refusal.INSUFFICIENT_FUNDS, Refusal.UNSETTLED_FUNDS),
        ),
        examples=(
            Example(name="mine", summary="A plate's", given="a debt", path=_OWN),
            missing(
                "A debt that does not exist, or is somebody else's", {"debt_id": "dbt_99"}, "DEBT_NOT_FOUND"
            ),
        ),
    ),
}
