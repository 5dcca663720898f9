from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHASE_UNSPECIFIED: _ClassVar[Phase]
    PHASE_CLOSED: _ClassVar[Phase]
    PHASE_CONTINUOUS: _ClassVar[Phase]
    PHASE_HALTED: _ClassVar[Phase]
    PHASE_PRE_OPEN: _ClassVar[Phase]
    PHASE_OPENING_AUCTION: _ClassVar[Phase]
    PHASE_CLOSING_AUCTION: _ClassVar[Phase]
    PHASE_POST_TRADE: _ClassVar[Phase]
    PHASE_HALT_AUCTION: _ClassVar[Phase]
    PHASE_EXTENDED: _ClassVar[Phase]

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_BUY: _ClassVar[Side]
    SIDE_SELL: _ClassVar[Side]

class DepthType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPTH_TYPE_UNSPECIFIED: _ClassVar[DepthType]
    DEPTH_TYPE_SNAPSHOT: _ClassVar[DepthType]
    DEPTH_TYPE_DELTA: _ClassVar[DepthType]

class OrderType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_TYPE_UNSPECIFIED: _ClassVar[OrderType]
    ORDER_TYPE_MARKET: _ClassVar[OrderType]
    ORDER_TYPE_LIMIT: _ClassVar[OrderType]
    ORDER_TYPE_STOP_LOSS: _ClassVar[OrderType]
    ORDER_TYPE_STOP_LIMIT: _ClassVar[OrderType]
    ORDER_TYPE_TRAILING_STOP: _ClassVar[OrderType]

class TimeInForce(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_IN_FORCE_UNSPECIFIED: _ClassVar[TimeInForce]
    TIME_IN_FORCE_DAY: _ClassVar[TimeInForce]
    TIME_IN_FORCE_GTC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_GTD: _ClassVar[TimeInForce]
    TIME_IN_FORCE_IOC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_FOK: _ClassVar[TimeInForce]
    TIME_IN_FORCE_OPG: _ClassVar[TimeInForce]
    TIME_IN_FORCE_CLS: _ClassVar[TimeInForce]

class OrderStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATUS_UNSPECIFIED: _ClassVar[OrderStatus]
    ORDER_STATUS_PENDING: _ClassVar[OrderStatus]
    ORDER_STATUS_PARTIAL: _ClassVar[OrderStatus]
    ORDER_STATUS_FILLED: _ClassVar[OrderStatus]
    ORDER_STATUS_CANCELLED: _ClassVar[OrderStatus]
    ORDER_STATUS_REJECTED: _ClassVar[OrderStatus]
    ORDER_STATUS_EXPIRED: _ClassVar[OrderStatus]
    ORDER_STATUS_REPLACED: _ClassVar[OrderStatus]
    ORDER_STATUS_HELD: _ClassVar[OrderStatus]

class CloseReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLOSE_REASON_NONE: _ClassVar[CloseReason]
    CLOSE_REASON_USER: _ClassVar[CloseReason]
    CLOSE_REASON_CANCEL_ALL: _ClassVar[CloseReason]
    CLOSE_REASON_NO_LIQUIDITY: _ClassVar[CloseReason]
    CLOSE_REASON_SELF_TRADE: _ClassVar[CloseReason]
    CLOSE_REASON_SESSION_END: _ClassVar[CloseReason]
    CLOSE_REASON_REPLACED: _ClassVar[CloseReason]
    CLOSE_REASON_KILL_SWITCH: _ClassVar[CloseReason]
    CLOSE_REASON_ACCOUNT_DISABLED: _ClassVar[CloseReason]
    CLOSE_REASON_REQUOTED: _ClassVar[CloseReason]
    CLOSE_REASON_PAIR: _ClassVar[CloseReason]
    CLOSE_REASON_PARENT: _ClassVar[CloseReason]
    CLOSE_REASON_TIME: _ClassVar[CloseReason]
    CLOSE_REASON_AUCTION_END: _ClassVar[CloseReason]
    CLOSE_REASON_NOT_COVERED: _ClassVar[CloseReason]
    CLOSE_REASON_POST_ONLY: _ClassVar[CloseReason]
    CLOSE_REASON_CORPORATE_ACTION: _ClassVar[CloseReason]
    CLOSE_REASON_TOO_MANY_FILLS: _ClassVar[CloseReason]

class Liquidity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_UNSPECIFIED: _ClassVar[Liquidity]
    LIQUIDITY_MAKER: _ClassVar[Liquidity]
    LIQUIDITY_TAKER: _ClassVar[Liquidity]

class OrderClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_CLASS_SIMPLE: _ClassVar[OrderClass]
    ORDER_CLASS_BRACKET: _ClassVar[OrderClass]
    ORDER_CLASS_OCO: _ClassVar[OrderClass]
    ORDER_CLASS_OTO: _ClassVar[OrderClass]

class LotMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOT_METHOD_UNSPECIFIED: _ClassVar[LotMethod]
    LOT_METHOD_FIFO: _ClassVar[LotMethod]
    LOT_METHOD_LIFO: _ClassVar[LotMethod]
    LOT_METHOD_HIFO: _ClassVar[LotMethod]
    LOT_METHOD_AVERAGE: _ClassVar[LotMethod]
    LOT_METHOD_SPECIFIC: _ClassVar[LotMethod]

class NotificationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_KIND_UNSPECIFIED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_FILLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_PARTIALLY_FILLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_CANCELLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_EXPIRED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_REJECTED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_DEPOSIT_CREDITED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_WITHDRAWAL_PAID: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_WITHDRAWAL_REFUSED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_CASH_ADJUSTED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_SHARES_RECEIVED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ACCOUNT_DISABLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ACCOUNT_ENABLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_TRADE_BUSTED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_ORDER_TRIGGERED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_DIVIDEND_PAID: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_SHARES_CHANGED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_CASH_IN_LIEU: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_BOOKING_CONFIRMED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_BOOKING_CANCELLED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_BOOKING_NOT_USED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_BOOKING_OVERSTAYED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_SPACE_OFFERED: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_PARKING_DEBT: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_PARKING_DEBT_PAID: _ClassVar[NotificationKind]
    NOTIFICATION_KIND_PASS_ENDED: _ClassVar[NotificationKind]

class Topic(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOPIC_UNSPECIFIED: _ClassVar[Topic]
    TOPIC_ORDERS: _ClassVar[Topic]
    TOPIC_MONEY: _ClassVar[Topic]
    TOPIC_ACCOUNT: _ClassVar[Topic]
    TOPIC_PARKING: _ClassVar[Topic]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_INFO: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]
    SEVERITY_CRITICAL: _ClassVar[Severity]

class RiskRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RISK_RULE_UNSPECIFIED: _ClassVar[RiskRule]
    RISK_RULE_FAT_FINGER: _ClassVar[RiskRule]
    RISK_RULE_ORDER_RATE_LIMIT: _ClassVar[RiskRule]
    RISK_RULE_RAPID_TRADING: _ClassVar[RiskRule]
    RISK_RULE_UNUSUAL_VOLUME: _ClassVar[RiskRule]
    RISK_RULE_PENNY_STOCK_ALERT: _ClassVar[RiskRule]
    RISK_RULE_POSITION_LIMIT: _ClassVar[RiskRule]
    RISK_RULE_KYC_LIMIT: _ClassVar[RiskRule]
    RISK_RULE_DAILY_LOSS_LIMIT: _ClassVar[RiskRule]
    RISK_RULE_PDT_VIOLATION: _ClassVar[RiskRule]
    RISK_RULE_WASH_TRADE: _ClassVar[RiskRule]

class RiskMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RISK_MODE_UNSPECIFIED: _ClassVar[RiskMode]
    RISK_MODE_FLAG: _ClassVar[RiskMode]
    RISK_MODE_BLOCK: _ClassVar[RiskMode]

class SpaceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPACE_TYPE_UNSPECIFIED: _ClassVar[SpaceType]
    SPACE_TYPE_STANDARD: _ClassVar[SpaceType]
    SPACE_TYPE_COMPACT: _ClassVar[SpaceType]
    SPACE_TYPE_LARGE: _ClassVar[SpaceType]
    SPACE_TYPE_ACCESSIBLE: _ClassVar[SpaceType]
    SPACE_TYPE_EV: _ClassVar[SpaceType]
    SPACE_TYPE_MOTORCYCLE: _ClassVar[SpaceType]
    SPACE_TYPE_VIP: _ClassVar[SpaceType]

class Feature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_UNSPECIFIED: _ClassVar[Feature]
    FEATURE_COVERED: _ClassVar[Feature]
    FEATURE_NEAR_LIFT: _ClassVar[Feature]
    FEATURE_CHARGER: _ClassVar[Feature]

class BookingStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOOKING_STATUS_UNSPECIFIED: _ClassVar[BookingStatus]
    BOOKING_STATUS_HELD_OFFER: _ClassVar[BookingStatus]
    BOOKING_STATUS_CONFIRMED: _ClassVar[BookingStatus]
    BOOKING_STATUS_ARRIVED: _ClassVar[BookingStatus]
    BOOKING_STATUS_COMPLETED: _ClassVar[BookingStatus]
    BOOKING_STATUS_CANCELLED: _ClassVar[BookingStatus]
    BOOKING_STATUS_NO_SHOW: _ClassVar[BookingStatus]
    BOOKING_STATUS_EXPIRED: _ClassVar[BookingStatus]

class GateEntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_ENTRY_KIND_UNSPECIFIED: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_DECISION: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_PASSED: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_PASSED_OFFLINE: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_FINDING: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_ORDER: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_SECRET: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_CONNECTED: _ClassVar[GateEntryKind]
    GATE_ENTRY_KIND_LOST: _ClassVar[GateEntryKind]

class GateCredential(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_CREDENTIAL_UNSPECIFIED: _ClassVar[GateCredential]
    GATE_CREDENTIAL_TAG: _ClassVar[GateCredential]
    GATE_CREDENTIAL_PLATE: _ClassVar[GateCredential]
    GATE_CREDENTIAL_CODE: _ClassVar[GateCredential]
    GATE_CREDENTIAL_BOOKING: _ClassVar[GateCredential]
PHASE_UNSPECIFIED: Phase
PHASE_CLOSED: Phase
PHASE_CONTINUOUS: Phase
PHASE_HALTED: Phase
PHASE_PRE_OPEN: Phase
PHASE_OPENING_AUCTION: Phase
PHASE_CLOSING_AUCTION: Phase
PHASE_POST_TRADE: Phase
PHASE_HALT_AUCTION: Phase
PHASE_EXTENDED: Phase
SIDE_UNSPECIFIED: Side
SIDE_BUY: Side
SIDE_SELL: Side
DEPTH_TYPE_UNSPECIFIED: DepthType
DEPTH_TYPE_SNAPSHOT: DepthType
DEPTH_TYPE_DELTA: DepthType
ORDER_TYPE_UNSPECIFIED: OrderType
ORDER_TYPE_MARKET: OrderType
ORDER_TYPE_LIMIT: OrderType
ORDER_TYPE_STOP_LOSS: OrderType
ORDER_TYPE_STOP_LIMIT: OrderType
ORDER_TYPE_TRAILING_STOP: OrderType
TIME_IN_FORCE_UNSPECIFIED: TimeInForce
TIME_IN_FORCE_DAY: TimeInForce
TIME_IN_FORCE_GTC: TimeInForce
TIME_IN_FORCE_GTD: TimeInForce
TIME_IN_FORCE_IOC: TimeInForce
TIME_IN_FORCE_FOK: TimeInForce
TIME_IN_FORCE_OPG: TimeInForce
TIME_IN_FORCE_CLS: TimeInForce
ORDER_STATUS_UNSPECIFIED: OrderStatus
ORDER_STATUS_PENDING: OrderStatus
ORDER_STATUS_PARTIAL: OrderStatus
ORDER_STATUS_FILLED: OrderStatus
ORDER_STATUS_CANCELLED: OrderStatus
ORDER_STATUS_REJECTED: OrderStatus
ORDER_STATUS_EXPIRED: OrderStatus
ORDER_STATUS_REPLACED: OrderStatus
ORDER_STATUS_HELD: OrderStatus
CLOSE_REASON_NONE: CloseReason
CLOSE_REASON_USER: CloseReason
CLOSE_REASON_CANCEL_ALL: CloseReason
CLOSE_REASON_NO_LIQUIDITY: CloseReason
CLOSE_REASON_SELF_TRADE: CloseReason
CLOSE_REASON_SESSION_END: CloseReason
CLOSE_REASON_REPLACED: CloseReason
CLOSE_REASON_KILL_SWITCH: CloseReason
CLOSE_REASON_ACCOUNT_DISABLED: CloseReason
CLOSE_REASON_REQUOTED: CloseReason
CLOSE_REASON_PAIR: CloseReason
CLOSE_REASON_PARENT: CloseReason
CLOSE_REASON_TIME: CloseReason
CLOSE_REASON_AUCTION_END: CloseReason
CLOSE_REASON_NOT_COVERED: CloseReason
CLOSE_REASON_POST_ONLY: CloseReason
CLOSE_REASON_CORPORATE_ACTION: CloseReason
CLOSE_REASON_TOO_MANY_FILLS: CloseReason
LIQUIDITY_UNSPECIFIED: Liquidity
LIQUIDITY_MAKER: Liquidity
LIQUIDITY_TAKER: Liquidity
ORDER_CLASS_SIMPLE: OrderClass
ORDER_CLASS_BRACKET: OrderClass
ORDER_CLASS_OCO: OrderClass
ORDER_CLASS_OTO: OrderClass
LOT_METHOD_UNSPECIFIED: LotMethod
LOT_METHOD_FIFO: LotMethod
LOT_METHOD_LIFO: LotMethod
LOT_METHOD_HIFO: LotMethod
LOT_METHOD_AVERAGE: LotMethod
LOT_METHOD_SPECIFIC: LotMethod
NOTIFICATION_KIND_UNSPECIFIED: NotificationKind
NOTIFICATION_KIND_ORDER_FILLED: NotificationKind
NOTIFICATION_KIND_ORDER_PARTIALLY_FILLED: NotificationKind
NOTIFICATION_KIND_ORDER_CANCELLED: NotificationKind
NOTIFICATION_KIND_ORDER_EXPIRED: NotificationKind
NOTIFICATION_KIND_ORDER_REJECTED: NotificationKind
NOTIFICATION_KIND_DEPOSIT_CREDITED: NotificationKind
NOTIFICATION_KIND_WITHDRAWAL_PAID: NotificationKind
NOTIFICATION_KIND_WITHDRAWAL_REFUSED: NotificationKind
NOTIFICATION_KIND_CASH_ADJUSTED: NotificationKind
NOTIFICATION_KIND_SHARES_RECEIVED: NotificationKind
NOTIFICATION_KIND_ACCOUNT_DISABLED: NotificationKind
NOTIFICATION_KIND_ACCOUNT_ENABLED: NotificationKind
NOTIFICATION_KIND_TRADE_BUSTED: NotificationKind
NOTIFICATION_KIND_ORDER_TRIGGERED: NotificationKind
NOTIFICATION_KIND_DIVIDEND_PAID: NotificationKind
NOTIFICATION_KIND_SHARES_CHANGED: NotificationKind
NOTIFICATION_KIND_CASH_IN_LIEU: NotificationKind
NOTIFICATION_KIND_BOOKING_CONFIRMED: NotificationKind
NOTIFICATION_KIND_BOOKING_CANCELLED: NotificationKind
NOTIFICATION_KIND_BOOKING_NOT_USED: NotificationKind
NOTIFICATION_KIND_BOOKING_OVERSTAYED: NotificationKind
NOTIFICATION_KIND_SPACE_OFFERED: NotificationKind
NOTIFICATION_KIND_PARKING_DEBT: NotificationKind
NOTIFICATION_KIND_PARKING_DEBT_PAID: NotificationKind
NOTIFICATION_KIND_PASS_ENDED: NotificationKind
TOPIC_UNSPECIFIED: Topic
TOPIC_ORDERS: Topic
TOPIC_MONEY: Topic
TOPIC_ACCOUNT: Topic
TOPIC_PARKING: Topic
SEVERITY_UNSPECIFIED: Severity
SEVERITY_INFO: Severity
SEVERITY_WARNING: Severity
SEVERITY_CRITICAL: Severity
RISK_RULE_UNSPECIFIED: RiskRule
RISK_RULE_FAT_FINGER: RiskRule
RISK_RULE_ORDER_RATE_LIMIT: RiskRule
RISK_RULE_RAPID_TRADING: RiskRule
RISK_RULE_UNUSUAL_VOLUME: RiskRule
RISK_RULE_PENNY_STOCK_ALERT: RiskRule
RISK_RULE_POSITION_LIMIT: RiskRule
RISK_RULE_KYC_LIMIT: RiskRule
RISK_RULE_DAILY_LOSS_LIMIT: RiskRule
RISK_RULE_PDT_VIOLATION: RiskRule
RISK_RULE_WASH_TRADE: RiskRule
RISK_MODE_UNSPECIFIED: RiskMode
RISK_MODE_FLAG: RiskMode
RISK_MODE_BLOCK: RiskMode
SPACE_TYPE_UNSPECIFIED: SpaceType
SPACE_TYPE_STANDARD: SpaceType
SPACE_TYPE_COMPACT: SpaceType
SPACE_TYPE_LARGE: SpaceType
SPACE_TYPE_ACCESSIBLE: SpaceType
SPACE_TYPE_EV: SpaceType
SPACE_TYPE_MOTORCYCLE: SpaceType
SPACE_TYPE_VIP: SpaceType
FEATURE_UNSPECIFIED: Feature
FEATURE_COVERED: Feature
FEATURE_NEAR_LIFT: Feature
FEATURE_CHARGER: Feature
BOOKING_STATUS_UNSPECIFIED: BookingStatus
BOOKING_STATUS_HELD_OFFER: BookingStatus
BOOKING_STATUS_CONFIRMED: BookingStatus
BOOKING_STATUS_ARRIVED: BookingStatus
BOOKING_STATUS_COMPLETED: BookingStatus
BOOKING_STATUS_CANCELLED: BookingStatus
BOOKING_STATUS_NO_SHOW: BookingStatus
BOOKING_STATUS_EXPIRED: BookingStatus
GATE_ENTRY_KIND_UNSPECIFIED: GateEntryKind
GATE_ENTRY_KIND_DECISION: GateEntryKind
GATE_ENTRY_KIND_PASSED: GateEntryKind
GATE_ENTRY_KIND_PASSED_OFFLINE: GateEntryKind
GATE_ENTRY_KIND_FINDING: GateEntryKind
GATE_ENTRY_KIND_ORDER: GateEntryKind
GATE_ENTRY_KIND_SECRET: GateEntryKind
GATE_ENTRY_KIND_CONNECTED: GateEntryKind
GATE_ENTRY_KIND_LOST: GateEntryKind
GATE_CREDENTIAL_UNSPECIFIED: GateCredential
GATE_CREDENTIAL_TAG: GateCredential
GATE_CREDENTIAL_PLATE: GateCredential
GATE_CREDENTIAL_CODE: GateCredential
GATE_CREDENTIAL_BOOKING: GateCredential

class Data(_message.Message):
    __slots__ = ("quotes", "trades", "depth", "candles", "orders", "balance", "notifications", "portfolio", "auctions", "risk", "parking", "bookings", "gates")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    CANDLES_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    AUCTIONS_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    PARKING_FIELD_NUMBER: _ClassVar[int]
    BOOKINGS_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[Quote]
    trades: _containers.RepeatedCompositeFieldContainer[Trade]
    depth: _containers.RepeatedCompositeFieldContainer[Depth]
    candles: _containers.RepeatedCompositeFieldContainer[Candle]
    orders: _containers.RepeatedCompositeFieldContainer[OrderEvent]
    balance: _containers.RepeatedCompositeFieldContainer[BalanceEvent]
    notifications: _containers.RepeatedCompositeFieldContainer[NotificationEvent]
    portfolio: _containers.RepeatedCompositeFieldContainer[PortfolioEvent]
    auctions: _containers.RepeatedCompositeFieldContainer[Auction]
    risk: _containers.RepeatedCompositeFieldContainer[RiskEvent]
    parking: _containers.RepeatedCompositeFieldContainer[ParkingOccupancy]
    bookings: _containers.RepeatedCompositeFieldContainer[BookingEvent]
    gates: _containers.RepeatedCompositeFieldContainer[GateEvent]
    def __init__(self, quotes: _Optional[_Iterable[_Union[Quote, _Mapping]]] = ..., trades: _Optional[_Iterable[_Union[Trade, _Mapping]]] = ..., depth: _Optional[_Iterable[_Union[Depth, _Mapping]]] = ..., candles: _Optional[_Iterable[_Union[Candle, _Mapping]]] = ..., orders: _Optional[_Iterable[_Union[OrderEvent, _Mapping]]] = ..., balance: _Optional[_Iterable[_Union[BalanceEvent, _Mapping]]] = ..., notifications: _Optional[_Iterable[_Union[NotificationEvent, _Mapping]]] = ..., portfolio: _Optional[_Iterable[_Union[PortfolioEvent, _Mapping]]] = ..., auctions: _Optional[_Iterable[_Union[Auction, _Mapping]]] = ..., risk: _Optional[_Iterable[_Union[RiskEvent, _Mapping]]] = ..., parking: _Optional[_Iterable[_Union[ParkingOccupancy, _Mapping]]] = ..., bookings: _Optional[_Iterable[_Union[BookingEvent, _Mapping]]] = ..., gates: _Optional[_Iterable[_Union[GateEvent, _Mapping]]] = ...) -> None: ...

class Quote(_message.Message):
    __slots__ = ("symbol", "price_e4", "change_e4", "change_percentage_e2", "volume_e8", "bid_e4", "ask_e4", "bid_size_e8", "ask_size_e8", "timestamp_ms", "stale", "v")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    CHANGE_E4_FIELD_NUMBER: _ClassVar[int]
    CHANGE_PERCENTAGE_E2_FIELD_NUMBER: _ClassVar[int]
    VOLUME_E8_FIELD_NUMBER: _ClassVar[int]
    BID_E4_FIELD_NUMBER: _ClassVar[int]
    ASK_E4_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_E8_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_E8_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    V_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    price_e4: int
    change_e4: int
    change_percentage_e2: int
    volume_e8: int
    bid_e4: int
    ask_e4: int
    bid_size_e8: int
    ask_size_e8: int
    timestamp_ms: int
    stale: bool
    v: int
    def __init__(self, symbol: _Optional[str] = ..., price_e4: _Optional[int] = ..., change_e4: _Optional[int] = ..., change_percentage_e2: _Optional[int] = ..., volume_e8: _Optional[int] = ..., bid_e4: _Optional[int] = ..., ask_e4: _Optional[int] = ..., bid_size_e8: _Optional[int] = ..., ask_size_e8: _Optional[int] = ..., timestamp_ms: _Optional[int] = ..., stale: _Optional[bool] = ..., v: _Optional[int] = ...) -> None: ...

class Trade(_message.Message):
    __slots__ = ("symbol", "n", "price_e4", "quantity_e8", "taker_side", "timestamp_ms", "trade_id", "busted")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    TAKER_SIDE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    BUSTED_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    n: int
    price_e4: int
    quantity_e8: int
    taker_side: Side
    timestamp_ms: int
    trade_id: str
    busted: bool
    def __init__(self, symbol: _Optional[str] = ..., n: _Optional[int] = ..., price_e4: _Optional[int] = ..., quantity_e8: _Optional[int] = ..., taker_side: _Optional[_Union[Side, str]] = ..., timestamp_ms: _Optional[int] = ..., trade_id: _Optional[str] = ..., busted: _Optional[bool] = ...) -> None: ...

class Auction(_message.Message):
    __slots__ = ("symbol", "phase", "indicative_price_e4", "paired_volume_e8", "imbalance_e8", "imbalance_side", "timestamp_ms")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    INDICATIVE_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    PAIRED_VOLUME_E8_FIELD_NUMBER: _ClassVar[int]
    IMBALANCE_E8_FIELD_NUMBER: _ClassVar[int]
    IMBALANCE_SIDE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    phase: Phase
    indicative_price_e4: int
    paired_volume_e8: int
    imbalance_e8: int
    imbalance_side: Side
    timestamp_ms: int
    def __init__(self, symbol: _Optional[str] = ..., phase: _Optional[_Union[Phase, str]] = ..., indicative_price_e4: _Optional[int] = ..., paired_volume_e8: _Optional[int] = ..., imbalance_e8: _Optional[int] = ..., imbalance_side: _Optional[_Union[Side, str]] = ..., timestamp_ms: _Optional[int] = ...) -> None: ...

class Level(_message.Message):
    __slots__ = ("price_e4", "quantity_e8", "orders")
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    price_e4: int
    quantity_e8: int
    orders: int
    def __init__(self, price_e4: _Optional[int] = ..., quantity_e8: _Optional[int] = ..., orders: _Optional[int] = ...) -> None: ...

class Depth(_message.Message):
    __slots__ = ("symbol", "type", "prev_seq", "seq", "bids", "asks", "checksum")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    type: DepthType
    prev_seq: int
    seq: int
    bids: _containers.RepeatedCompositeFieldContainer[Level]
    asks: _containers.RepeatedCompositeFieldContainer[Level]
    checksum: int
    def __init__(self, symbol: _Optional[str] = ..., type: _Optional[_Union[DepthType, str]] = ..., prev_seq: _Optional[int] = ..., seq: _Optional[int] = ..., bids: _Optional[_Iterable[_Union[Level, _Mapping]]] = ..., asks: _Optional[_Iterable[_Union[Level, _Mapping]]] = ..., checksum: _Optional[int] = ...) -> None: ...

class Candle(_message.Message):
    __slots__ = ("symbol", "interval", "start_ms", "open_e4", "high_e4", "low_e4", "close_e4", "volume_e8", "trades", "closed")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    OPEN_E4_FIELD_NUMBER: _ClassVar[int]
    HIGH_E4_FIELD_NUMBER: _ClassVar[int]
    LOW_E4_FIELD_NUMBER: _ClassVar[int]
    CLOSE_E4_FIELD_NUMBER: _ClassVar[int]
    VOLUME_E8_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    interval: str
    start_ms: int
    open_e4: int
    high_e4: int
    low_e4: int
    close_e4: int
    volume_e8: int
    trades: int
    closed: bool
    def __init__(self, symbol: _Optional[str] = ..., interval: _Optional[str] = ..., start_ms: _Optional[int] = ..., open_e4: _Optional[int] = ..., high_e4: _Optional[int] = ..., low_e4: _Optional[int] = ..., close_e4: _Optional[int] = ..., volume_e8: _Optional[int] = ..., trades: _Optional[int] = ..., closed: _Optional[bool] = ...) -> None: ...

class OrderEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: Order
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[Order, _Mapping]] = ...) -> None: ...

class BalanceEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: Balance
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[Balance, _Mapping]] = ...) -> None: ...

class NotificationEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: Notification
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[Notification, _Mapping]] = ...) -> None: ...

class BustedFill(_message.Message):
    __slots__ = ("execution_id", "quantity_e8", "price_e4", "amount_e4", "fee_e4", "liquidity", "executed_at_us", "busted_at_us", "transaction_id")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_E4_FIELD_NUMBER: _ClassVar[int]
    FEE_E4_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    BUSTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    quantity_e8: int
    price_e4: int
    amount_e4: int
    fee_e4: int
    liquidity: Liquidity
    executed_at_us: int
    busted_at_us: int
    transaction_id: str
    def __init__(self, execution_id: _Optional[str] = ..., quantity_e8: _Optional[int] = ..., price_e4: _Optional[int] = ..., amount_e4: _Optional[int] = ..., fee_e4: _Optional[int] = ..., liquidity: _Optional[_Union[Liquidity, str]] = ..., executed_at_us: _Optional[int] = ..., busted_at_us: _Optional[int] = ..., transaction_id: _Optional[str] = ...) -> None: ...

class LotTaken(_message.Message):
    __slots__ = ("lot_id", "quantity_e8")
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    lot_id: str
    quantity_e8: int
    def __init__(self, lot_id: _Optional[str] = ..., quantity_e8: _Optional[int] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "stock_symbol", "side", "order_type", "time_in_force", "quantity_e8", "price_e4", "status", "filled_quantity_e8", "remaining_quantity_e8", "average_price_e4", "fee_e4", "hold_e4", "estimated_total_e4", "client_order_id", "created_at_us", "updated_at_us", "filled_at_us", "replaces", "replaced_by", "reason", "bust", "order_class", "parent_order_id", "armed", "planned_quantity_e8", "legs", "trigger_price_e4", "triggered_at_us", "stop_price_e4", "trail_amount_e4", "trail_percent_e4", "display_quantity_e8", "post_only", "expires_at_us", "extended_hours", "notional_e4", "lot_method", "lots", "linked_order_id", "do_not_reduce")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STOCK_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FILLED_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    REMAINING_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    FEE_E4_FIELD_NUMBER: _ClassVar[int]
    HOLD_E4_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_TOTAL_E4_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    FILLED_AT_US_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    REPLACED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BUST_FIELD_NUMBER: _ClassVar[int]
    ORDER_CLASS_FIELD_NUMBER: _ClassVar[int]
    PARENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ARMED_FIELD_NUMBER: _ClassVar[int]
    PLANNED_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_AT_US_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    TRAIL_AMOUNT_E4_FIELD_NUMBER: _ClassVar[int]
    TRAIL_PERCENT_E4_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_HOURS_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_E4_FIELD_NUMBER: _ClassVar[int]
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    LINKED_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    DO_NOT_REDUCE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    stock_symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity_e8: int
    price_e4: int
    status: OrderStatus
    filled_quantity_e8: int
    remaining_quantity_e8: int
    average_price_e4: int
    fee_e4: int
    hold_e4: int
    estimated_total_e4: int
    client_order_id: str
    created_at_us: int
    updated_at_us: int
    filled_at_us: int
    replaces: str
    replaced_by: str
    reason: CloseReason
    bust: BustedFill
    order_class: OrderClass
    parent_order_id: str
    armed: bool
    planned_quantity_e8: int
    legs: _containers.RepeatedScalarFieldContainer[str]
    trigger_price_e4: int
    triggered_at_us: int
    stop_price_e4: int
    trail_amount_e4: int
    trail_percent_e4: int
    display_quantity_e8: int
    post_only: bool
    expires_at_us: int
    extended_hours: bool
    notional_e4: int
    lot_method: LotMethod
    lots: _containers.RepeatedCompositeFieldContainer[LotTaken]
    linked_order_id: str
    do_not_reduce: bool
    def __init__(self, order_id: _Optional[str] = ..., stock_symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., order_type: _Optional[_Union[OrderType, str]] = ..., time_in_force: _Optional[_Union[TimeInForce, str]] = ..., quantity_e8: _Optional[int] = ..., price_e4: _Optional[int] = ..., status: _Optional[_Union[OrderStatus, str]] = ..., filled_quantity_e8: _Optional[int] = ..., remaining_quantity_e8: _Optional[int] = ..., average_price_e4: _Optional[int] = ..., fee_e4: _Optional[int] = ..., hold_e4: _Optional[int] = ..., estimated_total_e4: _Optional[int] = ..., client_order_id: _Optional[str] = ..., created_at_us: _Optional[int] = ..., updated_at_us: _Optional[int] = ..., filled_at_us: _Optional[int] = ..., replaces: _Optional[str] = ..., replaced_by: _Optional[str] = ..., reason: _Optional[_Union[CloseReason, str]] = ..., bust: _Optional[_Union[BustedFill, _Mapping]] = ..., order_class: _Optional[_Union[OrderClass, str]] = ..., parent_order_id: _Optional[str] = ..., armed: _Optional[bool] = ..., planned_quantity_e8: _Optional[int] = ..., legs: _Optional[_Iterable[str]] = ..., trigger_price_e4: _Optional[int] = ..., triggered_at_us: _Optional[int] = ..., stop_price_e4: _Optional[int] = ..., trail_amount_e4: _Optional[int] = ..., trail_percent_e4: _Optional[int] = ..., display_quantity_e8: _Optional[int] = ..., post_only: _Optional[bool] = ..., expires_at_us: _Optional[int] = ..., extended_hours: _Optional[bool] = ..., notional_e4: _Optional[int] = ..., lot_method: _Optional[_Union[LotMethod, str]] = ..., lots: _Optional[_Iterable[_Union[LotTaken, _Mapping]]] = ..., linked_order_id: _Optional[str] = ..., do_not_reduce: _Optional[bool] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("currency", "balance_e4", "available_e4", "held_e4", "unsettled_e4", "withdrawable_e4", "buying_power_e4")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    BALANCE_E4_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_E4_FIELD_NUMBER: _ClassVar[int]
    HELD_E4_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_E4_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWABLE_E4_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_E4_FIELD_NUMBER: _ClassVar[int]
    currency: str
    balance_e4: int
    available_e4: int
    held_e4: int
    unsettled_e4: int
    withdrawable_e4: int
    buying_power_e4: int
    def __init__(self, currency: _Optional[str] = ..., balance_e4: _Optional[int] = ..., available_e4: _Optional[int] = ..., held_e4: _Optional[int] = ..., unsettled_e4: _Optional[int] = ..., withdrawable_e4: _Optional[int] = ..., buying_power_e4: _Optional[int] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("notification_id", "kind", "topic", "severity", "title", "body", "order_id", "transaction_id", "symbol", "side", "quantity_e8", "filled_quantity_e8", "average_price_e4", "amount_e4", "currency", "reason", "created_at_us", "read_at_us", "lot_id", "booking_id")
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    FILLED_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_E4_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    READ_AT_US_FIELD_NUMBER: _ClassVar[int]
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    BOOKING_ID_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    kind: NotificationKind
    topic: Topic
    severity: Severity
    title: str
    body: str
    order_id: str
    transaction_id: str
    symbol: str
    side: Side
    quantity_e8: int
    filled_quantity_e8: int
    average_price_e4: int
    amount_e4: int
    currency: str
    reason: CloseReason
    created_at_us: int
    read_at_us: int
    lot_id: str
    booking_id: str
    def __init__(self, notification_id: _Optional[str] = ..., kind: _Optional[_Union[NotificationKind, str]] = ..., topic: _Optional[_Union[Topic, str]] = ..., severity: _Optional[_Union[Severity, str]] = ..., title: _Optional[str] = ..., body: _Optional[str] = ..., order_id: _Optional[str] = ..., transaction_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., quantity_e8: _Optional[int] = ..., filled_quantity_e8: _Optional[int] = ..., average_price_e4: _Optional[int] = ..., amount_e4: _Optional[int] = ..., currency: _Optional[str] = ..., reason: _Optional[_Union[CloseReason, str]] = ..., created_at_us: _Optional[int] = ..., read_at_us: _Optional[int] = ..., lot_id: _Optional[str] = ..., booking_id: _Optional[str] = ...) -> None: ...

class PortfolioEvent(_message.Message):
    __slots__ = ("seq", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    data: Portfolio
    def __init__(self, seq: _Optional[int] = ..., data: _Optional[_Union[Portfolio, _Mapping]] = ...) -> None: ...

class Portfolio(_message.Message):
    __slots__ = ("currency", "total_value_e4", "total_invested_e4", "cash_balance_e4", "buying_power_e4", "holdings_value_e4", "day_pnl_e4", "day_pnl_percentage_e2", "unrealized_pnl_e4", "realized_pnl_e4", "fees_paid_e4", "total_pnl_e4", "total_pnl_percentage_e2", "holdings")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TOTAL_VALUE_E4_FIELD_NUMBER: _ClassVar[int]
    TOTAL_INVESTED_E4_FIELD_NUMBER: _ClassVar[int]
    CASH_BALANCE_E4_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_E4_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_VALUE_E4_FIELD_NUMBER: _ClassVar[int]
    DAY_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    DAY_PNL_PERCENTAGE_E2_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    REALIZED_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    FEES_PAID_E4_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PNL_PERCENTAGE_E2_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    currency: str
    total_value_e4: int
    total_invested_e4: int
    cash_balance_e4: int
    buying_power_e4: int
    holdings_value_e4: int
    day_pnl_e4: int
    day_pnl_percentage_e2: int
    unrealized_pnl_e4: int
    realized_pnl_e4: int
    fees_paid_e4: int
    total_pnl_e4: int
    total_pnl_percentage_e2: int
    holdings: _containers.RepeatedCompositeFieldContainer[Holding]
    def __init__(self, currency: _Optional[str] = ..., total_value_e4: _Optional[int] = ..., total_invested_e4: _Optional[int] = ..., cash_balance_e4: _Optional[int] = ..., buying_power_e4: _Optional[int] = ..., holdings_value_e4: _Optional[int] = ..., day_pnl_e4: _Optional[int] = ..., day_pnl_percentage_e2: _Optional[int] = ..., unrealized_pnl_e4: _Optional[int] = ..., realized_pnl_e4: _Optional[int] = ..., fees_paid_e4: _Optional[int] = ..., total_pnl_e4: _Optional[int] = ..., total_pnl_percentage_e2: _Optional[int] = ..., holdings: _Optional[_Iterable[_Union[Holding, _Mapping]]] = ...) -> None: ...

class Holding(_message.Message):
    __slots__ = ("symbol", "name", "quantity_e8", "available_quantity_e8", "average_cost_e4", "current_price_e4", "current_value_e4", "total_cost_e4", "unrealized_pnl_e4", "unrealized_pnl_percentage_e2", "realized_pnl_e4", "day_change_e4", "day_change_percentage_e2")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_COST_E4_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    CURRENT_VALUE_E4_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_E4_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_PERCENTAGE_E2_FIELD_NUMBER: _ClassVar[int]
    REALIZED_PNL_E4_FIELD_NUMBER: _ClassVar[int]
    DAY_CHANGE_E4_FIELD_NUMBER: _ClassVar[int]
    DAY_CHANGE_PERCENTAGE_E2_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    name: str
    quantity_e8: int
    available_quantity_e8: int
    average_cost_e4: int
    current_price_e4: int
    current_value_e4: int
    total_cost_e4: int
    unrealized_pnl_e4: int
    unrealized_pnl_percentage_e2: int
    realized_pnl_e4: int
    day_change_e4: int
    day_change_percentage_e2: int
    def __init__(self, symbol: _Optional[str] = ..., name: _Optional[str] = ..., quantity_e8: _Optional[int] = ..., available_quantity_e8: _Optional[int] = ..., average_cost_e4: _Optional[int] = ..., current_price_e4: _Optional[int] = ..., current_value_e4: _Optional[int] = ..., total_cost_e4: _Optional[int] = ..., unrealized_pnl_e4: _Optional[int] = ..., unrealized_pnl_percentage_e2: _Optional[int] = ..., realized_pnl_e4: _Optional[int] = ..., day_change_e4: _Optional[int] = ..., day_change_percentage_e2: _Optional[int] = ...) -> None: ...

class RiskEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: RiskViolation
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[RiskViolation, _Mapping]] = ...) -> None: ...

class RiskViolation(_message.Message):
    __slots__ = ("violation_id", "at_us", "rule", "mode", "account_id", "user_id", "stock_symbol", "order_id", "side", "quantity_e8", "price_e4", "figures")
    VIOLATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    STOCK_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E8_FIELD_NUMBER: _ClassVar[int]
    PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    violation_id: str
    at_us: int
    rule: RiskRule
    mode: RiskMode
    account_id: str
    user_id: str
    stock_symbol: str
    order_id: str
    side: Side
    quantity_e8: int
    price_e4: int
    figures: _containers.RepeatedCompositeFieldContainer[RiskFigure]
    def __init__(self, violation_id: _Optional[str] = ..., at_us: _Optional[int] = ..., rule: _Optional[_Union[RiskRule, str]] = ..., mode: _Optional[_Union[RiskMode, str]] = ..., account_id: _Optional[str] = ..., user_id: _Optional[str] = ..., stock_symbol: _Optional[str] = ..., order_id: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., quantity_e8: _Optional[int] = ..., price_e4: _Optional[int] = ..., figures: _Optional[_Iterable[_Union[RiskFigure, _Mapping]]] = ...) -> None: ...

class RiskFigure(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ParkingOccupancy(_message.Message):
    __slots__ = ("lot_id", "seq", "inside", "capacity", "parts", "timestamp_ms")
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    INSIDE_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    lot_id: str
    seq: int
    inside: int
    capacity: int
    parts: _containers.RepeatedCompositeFieldContainer[ParkingPart]
    timestamp_ms: int
    def __init__(self, lot_id: _Optional[str] = ..., seq: _Optional[int] = ..., inside: _Optional[int] = ..., capacity: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[ParkingPart, _Mapping]]] = ..., timestamp_ms: _Optional[int] = ...) -> None: ...

class ParkingPart(_message.Message):
    __slots__ = ("floor", "type", "vehicles", "spaces")
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VEHICLES_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    floor: str
    type: SpaceType
    vehicles: int
    spaces: int
    def __init__(self, floor: _Optional[str] = ..., type: _Optional[_Union[SpaceType, str]] = ..., vehicles: _Optional[int] = ..., spaces: _Optional[int] = ...) -> None: ...

class BookingEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: Booking
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[Booking, _Mapping]] = ...) -> None: ...

class Booking(_message.Message):
    __slots__ = ("booking_id", "lot_id", "vehicle_id", "plate", "space", "type", "features", "from_us", "to_us", "status", "tariff", "tariff_version", "held_e4", "total_e4", "tax_e4", "currency", "created_at_us")
    BOOKING_ID_FIELD_NUMBER: _ClassVar[int]
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    VEHICLE_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FROM_US_FIELD_NUMBER: _ClassVar[int]
    TO_US_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TARIFF_FIELD_NUMBER: _ClassVar[int]
    TARIFF_VERSION_FIELD_NUMBER: _ClassVar[int]
    HELD_E4_FIELD_NUMBER: _ClassVar[int]
    TOTAL_E4_FIELD_NUMBER: _ClassVar[int]
    TAX_E4_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    booking_id: str
    lot_id: str
    vehicle_id: str
    plate: str
    space: str
    type: SpaceType
    features: _containers.RepeatedScalarFieldContainer[Feature]
    from_us: int
    to_us: int
    status: BookingStatus
    tariff: str
    tariff_version: int
    held_e4: int
    total_e4: int
    tax_e4: int
    currency: str
    created_at_us: int
    def __init__(self, booking_id: _Optional[str] = ..., lot_id: _Optional[str] = ..., vehicle_id: _Optional[str] = ..., plate: _Optional[str] = ..., space: _Optional[str] = ..., type: _Optional[_Union[SpaceType, str]] = ..., features: _Optional[_Iterable[_Union[Feature, str]]] = ..., from_us: _Optional[int] = ..., to_us: _Optional[int] = ..., status: _Optional[_Union[BookingStatus, str]] = ..., tariff: _Optional[str] = ..., tariff_version: _Optional[int] = ..., held_e4: _Optional[int] = ..., total_e4: _Optional[int] = ..., tax_e4: _Optional[int] = ..., currency: _Optional[str] = ..., created_at_us: _Optional[int] = ...) -> None: ...

class GateEvent(_message.Message):
    __slots__ = ("seq", "prev_seq", "more", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SEQ_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_seq: int
    more: bool
    data: GateEntry
    def __init__(self, seq: _Optional[int] = ..., prev_seq: _Optional[int] = ..., more: _Optional[bool] = ..., data: _Optional[_Union[GateEntry, _Mapping]] = ...) -> None: ...

class GateEntry(_message.Message):
    __slots__ = ("entry_id", "at_us", "said_at_us", "kind", "reason", "lot_id", "gate_id", "lane", "open", "alarm", "vehicle_id", "operator_id", "credential", "what", "space", "booking_id", "stay_id")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    SAID_AT_US_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    VEHICLE_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    BOOKING_ID_FIELD_NUMBER: _ClassVar[int]
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    at_us: int
    said_at_us: int
    kind: GateEntryKind
    reason: str
    lot_id: str
    gate_id: str
    lane: int
    open: bool
    alarm: bool
    vehicle_id: str
    operator_id: str
    credential: GateCredential
    what: str
    space: str
    booking_id: str
    stay_id: str
    def __init__(self, entry_id: _Optional[str] = ..., at_us: _Optional[int] = ..., said_at_us: _Optional[int] = ..., kind: _Optional[_Union[GateEntryKind, str]] = ..., reason: _Optional[str] = ..., lot_id: _Optional[str] = ..., gate_id: _Optional[str] = ..., lane: _Optional[int] = ..., open: _Optional[bool] = ..., alarm: _Optional[bool] = ..., vehicle_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., credential: _Optional[_Union[GateCredential, str]] = ..., what: _Optional[str] = ..., space: _Optional[str] = ..., booking_id: _Optional[str] = ..., stay_id: _Optional[str] = ...) -> None: ...
