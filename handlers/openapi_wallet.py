"""The documentation of the routes of wallet and portfolio."""

from __future__ import annotations

from typing import Final

from engine.refusals import Refusal
from handlers.balance_json import BalanceJson
from handlers.field_types import TransactionId
from handlers.openapi_doc import ENTRY_CURSOR, LIMIT, PAGE, AsOfMeta, Doc, Example, Link, PageMeta, Tag
from handlers.valuation import HoldingJson, PortfolioJson
from handlers.wallet import DepositBody, DepositJson, TransactionJson, WithdrawBody
from server.errors import DepositsClosed, NotFound

WALLET: Final = {
    "GET /api/v1/wallet/balance": Doc(
        operation="get_balance",
        summary="Cash and buying power",
        tag=Tag.WALLET,
        answer=BalanceJson,
        meta=AsOfMeta,
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now"),),
    ),
    "POST /api/v1/wallet/deposit": Doc(
        operation="deposit",
        summary="Pay money in",
        tag=Tag.WALLET,
        about="Paper money arrives at once.",
        body=DepositBody,
        answer=DepositJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(Refusal.ACCOUNT_NOT_FOUND, Refusal.INVALID_AMOUNT, Refusal.BALANCE_LIMIT),
        errors=(DepositsClosed,),
        links=(Link("get_transaction", "transaction_id", "/data/transaction_id"),),
        examples=(
            Example(name="card", summary="By card", body={"amount": "250.50", "payment_method": "CARD"}),
            Example(
                name="fraction",
                summary="More decimals than there are: never rounded",
                body={"amount": "0.00001", "payment_method": "UPI"},
                status=422,
                code="INVALID_AMOUNT",
            ),
        ),
    ),
    "POST /api/v1/wallet/withdraw": Doc(
        operation="withdraw",
        summary="Pay money out",
        tag=Tag.WALLET,
        about="The amount is held (PENDING) until the bank has paid.",
        body=WithdrawBody,
        answer=TransactionJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(
            Refusal.ACCOUNT_NOT_FOUND,
            Refusal.ACCOUNT_DISABLED,
            Refusal.INVALID_AMOUNT,
            Refusal.INSUFFICIENT_FUNDS,
        ),
        links=(Link("get_transaction", "transaction_id", "/data/transaction_id"),),
        examples=(
            Example(name="some", summary="Some of it", body={"amount": 10}),
            Example(
                name="too_much",
                summary="More than there is",
                body={"amount": "999999.99"},
                status=422,
                code="INSUFFICIENT_FUNDS",
            ),
        ),
    ),
    "GET /api/v1/wallet/transactions": Doc(
        operation="list_transactions",
        summary="The statement, newest first",
        tag=Tag.WALLET,
        about="Withdrawals that the bank has not answered yet stand on top of the first page, PENDING.",
        answer=list[TransactionJson],
        meta=PageMeta,
        query=(ENTRY_CURSOR, PAGE, LIMIT),
        database=True,
        examples=(
            Example(name="first", summary="The newest fifty"),
            Example(name="two", summary="The newest two", query={"limit": "2"}),
        ),
    ),
    "GET /api/v1/wallet/transactions/{transaction_id}": Doc(
        operation="get_transaction",
        summary="One line of the statement",
        tag=Tag.WALLET,
        about="A `txn_` of the ledger, or a `wdr_` through its whole life.",
        answer=TransactionJson,
        meta=AsOfMeta,
        path={"transaction_id": TransactionId},
        database=True,
        errors=(NotFound,),
        examples=(
            Example(
                name="deposit",
                summary="A deposit",
                given="a deposit",
                path={"transaction_id": "txn_1750073344"},
            ),
            Example(
                name="missing",
                summary="One that is not yours, or was never",
                path={"transaction_id": "txn_5"},
                status=404,
                code="NOT_FOUND",
            ),
        ),
    ),
}

PORTFOLIO: Final = {
    "GET /api/v1/portfolio": Doc(
        operation="get_portfolio",
        summary="What the account is worth",
        tag=Tag.PORTFOLIO,
        about="Cash, holdings and profit from one sequence number, at the last published prices.",
        answer=PortfolioJson,
        meta=AsOfMeta,
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now", given="shares and a bid"),),
    ),
    "GET /api/v1/portfolio/holdings": Doc(
        operation="list_holdings",
        summary="What is held",
        tag=Tag.PORTFOLIO,
        answer=list[HoldingJson],
        meta=AsOfMeta,
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now", given="shares and a bid"),),
    ),
}
