"""The route table: every method and path, its handler, who may call it, and what limits it."""

from __future__ import annotations

from typing import Final

from handlers import (
    admin,
    admin_adjustments,
    admin_audit,
    admin_busts,
    admin_corporate,
    admin_customers,
    admin_desk,
    admin_risk,
    admin_risk_rules,
    admin_violations,
    api_keys,
    auth,
    calendar,
    dialect_orders,
    dialect_trades,
    dividends,
    health,
    indices,
    lot_method,
    lots,
    market,
    movers,
    notifications,
    orders,
    orders_read,
    passwords,
    performance,
    portfolio,
    preferences,
    preview,
    realized_gains,
    sessions,
    settlements,
    stocks,
    users,
    wallet,
    websocket,
)
from handlers.admin_audit import Audited
from handlers.docs_page import document_routes
from handlers.openapi_account import OVER_TIME as OVER_TIME_DOCS
from handlers.openapi_account import PROFILE as PROFILE_DOCS
from handlers.openapi_busts import BUSTS as BUST_DOCS
from handlers.openapi_cameras import CAMERA_DOCS, CAMERA_ROUTES
from handlers.openapi_corporate import CORPORATE as CORPORATE_DOCS
from handlers.openapi_desk import DESK as DESK_DOCS
from handlers.openapi_dialects import DIALECTS as DIALECT_DOCS
from handlers.openapi_gains import GAINS as GAIN_DOCS
from handlers.openapi_gates import GATE_DOCS, GATE_ROUTES
from handlers.openapi_market import STOCKS as STOCK_DOCS
from handlers.openapi_market import SYSTEM as SYSTEM_DOCS
from handlers.openapi_notifications import NOTIFICATIONS as NOTIFICATION_DOCS
from handlers.openapi_overview import OVERVIEW as OVERVIEW_DOCS
from handlers.openapi_people import ADMIN as ADMIN_DOCS
from handlers.openapi_people import AUTH as AUTH_DOCS
from handlers.openapi_risk import RISK as RISK_DOCS
from handlers.openapi_sessions import SESSIONS as SESSION_DOCS
from handlers.openapi_settlements import SETTLEMENTS as SETTLEMENT_DOCS
from handlers.openapi_trading import ORDERS as ORDER_DOCS
from handlers.openapi_wallet import PORTFOLIO as PORTFOLIO_DOCS
from handlers.openapi_wallet import WALLET as WALLET_DOCS
from handlers.parking_routes import PARKING_DOCS, PARKING_ROUTES
from handlers.routing import ADMIN, BASE, HOLDER, PUBLIC, RISK_DESK, SIGNED_IN, Route, StreamRoute
from server.rate_limits import LimitClass

NONE: Final = LimitClass.NONE
CALLS: Final = LimitClass.CALLS
ORDERS: Final = LimitClass.ORDERS
PORTFOLIO: Final = LimitClass.PORTFOLIO

_API: Final = (
    Route("POST", f"{BASE}/auth/register", auth.register, PUBLIC, LimitClass.REGISTRATION),
    Route("POST", f"{BASE}/auth/login", auth.login, PUBLIC, LimitClass.LOGIN),
    Route("POST", f"{BASE}/auth/refresh-token", auth.refresh, PUBLIC, LimitClass.LOGIN),
    Route("POST", f"{BASE}/auth/logout", auth.logout, SIGNED_IN, CALLS),
    Route("POST", f"{BASE}/auth/forgot-password", passwords.forgot, PUBLIC, LimitClass.LOGIN),
    Route("POST", f"{BASE}/auth/reset-password", passwords.reset, PUBLIC, LimitClass.LOGIN),
    Route("POST", f"{BASE}/auth/change-password", passwords.change, SIGNED_IN, LimitClass.LOGIN),
    Route("GET", f"{BASE}/auth/sessions", sessions.sessions, SIGNED_IN, CALLS),
    Route("POST", f"{BASE}/auth/sessions", auth.login, PUBLIC, LimitClass.LOGIN),
    Route("DELETE", f"{BASE}/auth/sessions", sessions.revoke_others, SIGNED_IN, CALLS),
    Route("DELETE", f"{BASE}/auth/sessions/{{session_id}}", sessions.revoke, SIGNED_IN, CALLS),
    Route("GET", f"{BASE}/auth/api-keys", api_keys.keys, HOLDER, CALLS),
    Route("POST", f"{BASE}/auth/api-keys", api_keys.create, HOLDER, CALLS),
    Route("DELETE", f"{BASE}/auth/api-keys/{{key_id}}", api_keys.revoke, HOLDER, CALLS),
    Route("GET", f"{BASE}/users/profile", users.profile, SIGNED_IN, CALLS),
    Route("PUT", f"{BASE}/users/profile", users.set_profile, SIGNED_IN, CALLS),
    Route("GET", f"{BASE}/users/preferences", preferences.preferences, SIGNED_IN, CALLS),
    Route("PUT", f"{BASE}/users/preferences", preferences.set_preferences, SIGNED_IN, CALLS),
    Route("GET", f"{BASE}/wallet/balance", wallet.balance, HOLDER, CALLS),
    Route("POST", f"{BASE}/wallet/deposit", wallet.deposit, HOLDER, CALLS),
    Route("POST", f"{BASE}/wallet/withdraw", wallet.withdraw, HOLDER, CALLS),
    Route("GET", f"{BASE}/wallet/transactions", wallet.transactions, HOLDER, CALLS),
    Route("GET", f"{BASE}/wallet/transactions/{{transaction_id}}", wallet.transaction, HOLDER, CALLS),
    Route("POST", f"{BASE}/orders", orders.place, HOLDER, ORDERS),
    Route("POST", f"{BASE}/orders/preview", preview.preview, HOLDER, CALLS),
    Route("GET", f"{BASE}/orders", orders_read.orders, HOLDER, CALLS),
    Route("DELETE", f"{BASE}/orders", orders.cancel_all, HOLDER, CALLS),
    Route("GET", f"{BASE}/orders/history", orders_read.history, HOLDER, CALLS),
    Route("GET", f"{BASE}/orders/{{order_id}}", orders_read.get, HOLDER, CALLS),
    Route("PATCH", f"{BASE}/orders/{{order_id}}", orders.replace, HOLDER, ORDERS),
    Route("DELETE", f"{BASE}/orders/{{order_id}}", orders.cancel, HOLDER, CALLS),
    Route("GET", f"{BASE}/orders/{{order_id}}/executions", orders_read.executions, HOLDER, CALLS),
    Route("GET", f"{BASE}/portfolio", portfolio.portfolio, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/holdings", portfolio.holdings, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/lots", lots.lots, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/lots/method", lot_method.lot_method, HOLDER, PORTFOLIO),
    Route("PUT", f"{BASE}/portfolio/lots/method", lot_method.set_lot_method, HOLDER, CALLS),
    Route("GET", f"{BASE}/portfolio/settlements", settlements.settlements, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/realized-gains", realized_gains.realized_gains, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/dividends", dividends.dividends, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/portfolio/performance", performance.performance, HOLDER, PORTFOLIO),
    Route("GET", f"{BASE}/notifications", notifications.notifications, HOLDER, CALLS),
    Route("POST", f"{BASE}/notifications/read", notifications.read_all, HOLDER, CALLS),
    Route("POST", f"{BASE}/notifications/{{notification_id}}/read", notifications.read, HOLDER, CALLS),
    *PARKING_ROUTES,
    Route("GET", f"{BASE}/stocks/search", stocks.search, PUBLIC, CALLS),
    Route("GET", f"{BASE}/stocks/{{symbol}}", stocks.details, PUBLIC, CALLS),
    Route("GET", f"{BASE}/stocks/{{symbol}}/quote", stocks.quote, PUBLIC, CALLS),
    Route("GET", f"{BASE}/stocks/{{symbol}}/depth", stocks.depth, PUBLIC, CALLS),
    Route("GET", f"{BASE}/stocks/{{symbol}}/trades", stocks.trades, PUBLIC, CALLS),
    Route("GET", f"{BASE}/stocks/{{symbol}}/chart", stocks.chart, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/status", market.status, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/calendar", calendar.calendar, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/indices", indices.indices, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/top-gainers", movers.gainers, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/top-losers", movers.losers, PUBLIC, CALLS),
    Route("GET", f"{BASE}/market/most-active", movers.most_active, PUBLIC, CALLS),
    Route("POST", f"{BASE}/admin/instruments/{{symbol}}/halt", Audited(admin.halt), ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/instruments/{{symbol}}/resume", Audited(admin.resume), ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/kill-switch", Audited(admin.kill_switch), ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/users/{{user_id}}/disable", Audited(admin.disable), ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/users/{{user_id}}/enable", Audited(admin.enable), ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/users", admin_desk.users, ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/orders", admin_desk.orders, ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/limits", admin_risk.limits, ADMIN, CALLS),
    Route("PUT", f"{BASE}/admin/limits", Audited(admin_risk.set_limits), ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/fees", admin_risk.fees, ADMIN, CALLS),
    Route("PUT", f"{BASE}/admin/fees/{{schedule}}", Audited(admin_risk.set_fees), ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/risk/rules", admin_risk_rules.rules, RISK_DESK, CALLS),
    Route("PUT", f"{BASE}/admin/risk/rules/{{rule}}", Audited(admin_risk_rules.set_rule), RISK_DESK, CALLS),
    Route("GET", f"{BASE}/admin/risk/exceptions", admin_risk_rules.exceptions, RISK_DESK, CALLS),
    Route(
        "PUT",
        f"{BASE}/admin/risk/exceptions/{{rule}}",
        Audited(admin_risk_rules.set_exception),
        RISK_DESK,
        CALLS,
    ),
    Route("GET", f"{BASE}/admin/risk/violations", admin_violations.violations, RISK_DESK, CALLS),
    Route(
        "POST",
        f"{BASE}/admin/risk/violations/{{violation_id}}/review",
        Audited(admin_violations.review),
        RISK_DESK,
        CALLS,
    ),
    Route("GET", f"{BASE}/admin/risk/links", admin_customers.links, RISK_DESK, CALLS),
    Route("PUT", f"{BASE}/admin/users/{{user_id}}/link", Audited(admin_customers.set_link), RISK_DESK, CALLS),
    Route(
        "PUT", f"{BASE}/admin/users/{{user_id}}/kyc-tier", Audited(admin_customers.set_tier), RISK_DESK, CALLS
    ),
    Route("GET", f"{BASE}/admin/adjustments", admin_adjustments.adjustments, ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/adjustments", Audited(admin_adjustments.propose), ADMIN, CALLS),
    Route(
        "POST",
        f"{BASE}/admin/adjustments/{{adjustment_id}}/approve",
        Audited(admin_adjustments.approve),
        ADMIN,
        CALLS,
    ),
    Route(
        "POST",
        f"{BASE}/admin/adjustments/{{adjustment_id}}/reject",
        Audited(admin_adjustments.reject),
        ADMIN,
        CALLS,
    ),
    Route("POST", f"{BASE}/admin/trades/{{execution_id}}/bust", Audited(admin_busts.propose), ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/busts", admin_busts.busts, ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/busts/{{bust_id}}/approve", Audited(admin_busts.approve), ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/busts/{{bust_id}}/reject", Audited(admin_busts.reject), ADMIN, CALLS),
    Route("GET", f"{BASE}/admin/corporate-actions", admin_corporate.actions, ADMIN, CALLS),
    Route("POST", f"{BASE}/admin/corporate-actions", Audited(admin_corporate.propose), ADMIN, CALLS),
    Route(
        "POST",
        f"{BASE}/admin/corporate-actions/{{action_id}}/approve",
        Audited(admin_corporate.approve),
        ADMIN,
        CALLS,
    ),
    Route(
        "POST",
        f"{BASE}/admin/corporate-actions/{{action_id}}/reject",
        Audited(admin_corporate.reject),
        ADMIN,
        CALLS,
    ),
    Route("GET", f"{BASE}/admin/audit", admin_audit.audit, ADMIN, CALLS),
    *GATE_ROUTES,
    *CAMERA_ROUTES,
    # the dialects of reference documents 002 and 003
    Route("POST", "/v1/orders", dialect_orders.place, HOLDER, ORDERS),
    Route("GET", "/v1/orders/{order_id}", orders_read.get, HOLDER, CALLS),
    Route("DELETE", "/v1/orders/{order_id}", orders.cancel, HOLDER, CALLS),
    Route("POST", "/trade/place", dialect_trades.place, HOLDER, ORDERS),
    Route("GET", "/trade/{order_id}", dialect_trades.get, HOLDER, CALLS),
    Route("POST", "/trade/{order_id}/cancel", dialect_trades.cancel, HOLDER, CALLS),
    Route("GET", "/transaction-history", dialect_trades.history, HOLDER, CALLS),
    Route("GET", "/balance", dialect_trades.balance, HOLDER, CALLS),
    Route("GET", "/portfolio", dialect_trades.portfolio, HOLDER, PORTFOLIO),
    Route("GET", "/healthz", health.alive, PUBLIC, NONE),
    Route("GET", "/readyz", health.ready, PUBLIC, NONE),
    Route("GET", "/metrics", health.metrics, PUBLIC, NONE),
)

DOCS: Final = {
    **ORDER_DOCS,
    **WALLET_DOCS,
    **PORTFOLIO_DOCS,
    **OVER_TIME_DOCS,
    **GAIN_DOCS,
    **SETTLEMENT_DOCS,
    **PROFILE_DOCS,
    **NOTIFICATION_DOCS,
    **PARKING_DOCS,
    **STOCK_DOCS,
    **OVERVIEW_DOCS,
    **AUTH_DOCS,
    **SESSION_DOCS,
    **ADMIN_DOCS,
    **DESK_DOCS,
    **BUST_DOCS,
    **CORPORATE_DOCS,
    **GATE_DOCS,
    **CAMERA_DOCS,
    **RISK_DOCS,
    **SYSTEM_DOCS,
    **DIALECT_DOCS,
}
"""What is written of each route, by its name."""

ROUTES: Final = (*_API, *document_routes(_API, DOCS))

STREAM_ROUTES: Final = tuple(
    StreamRoute(path, websocket.websocket, PUBLIC, CALLS) for path in websocket.PATHS
)
"""Public: quotes need no login, and a private channel asks for one in its own messages."""
