"""Parking's commands and the functions that decide and carry them out: a part of the engine's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.commands import Envelope
from engine.events import Refused
from engine.parking import (
    bookings,
    cameras,
    estate,
    gates,
    offline,
    passes,
    tariff_setting,
    tickets,
    vehicles,
    waiting,
)
from engine.parking.booking_commands import (
    AcceptOffer,
    BookSpace,
    BuyPass,
    CancelBooking,
    CancelPass,
    EndStay,
    ExtendBooking,
    IssuePass,
    IssueTicket,
    JoinWaitingList,
    LeaveWaitingList,
    PayDebt,
    PayTicket,
)
from engine.parking.camera_commands import ReadPlate, RenewCameraKey, RevokeCamera, SetCamera
from engine.parking.commands import (
    AttachTag,
    BlockPlate,
    BlockTag,
    ImportEstate,
    RegisterVehicle,
    RemoveVehicle,
    RevokeTag,
    SetFloor,
    SetGate,
    SetLot,
    SetSpace,
    SetVehicleRights,
)
from engine.parking.gate_commands import (
    NoteGateLink,
    OperateGate,
    RenewGateKey,
    ReportPassage,
    ScanTag,
    SyncOffline,
)
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.turn import Turn

PARKING_COMMANDS: Final[dict[type, Callable[[Turn, Envelope, Any], Refused | None]]] = {
    SetLot: estate.set_lot,
    SetFloor: estate.set_floor,
    SetSpace: estate.set_space,
    SetGate: estate.set_gate,
    ImportEstate: estate.import_estate,
    RegisterVehicle: vehicles.register_vehicle,
    SetVehicleRights: vehicles.set_vehicle_rights,
    RemoveVehicle: vehicles.remove_vehicle,
    AttachTag: vehicles.attach_tag,
    RevokeTag: vehicles.revoke_tag,
    BlockTag: vehicles.block_tag,
    BlockPlate: vehicles.block_plate,
    BookSpace: bookings.book_space,
    ExtendBooking: bookings.extend_booking,
    CancelBooking: bookings.cancel_booking,
    JoinWaitingList: waiting.join_waiting_list,
    LeaveWaitingList: waiting.leave_waiting_list,
    AcceptOffer: waiting.accept_offer,
    IssuePass: passes.issue_pass,
    BuyPass: passes.buy_pass,
    CancelPass: passes.cancel_pass,
    IssueTicket: tickets.issue_ticket,
    PayTicket: tickets.pay_ticket,
    EndStay: tickets.end_stay,
    PayDebt: tickets.pay_debt,
    SetTariff: tariff_setting.set_tariff,
    SetZone: tariff_setting.set_zone,
    ScanTag: gates.scan_tag,
    ReportPassage: gates.report_passage,
    SyncOffline: offline.sync_offline,
    OperateGate: gates.operate_gate,
    RenewGateKey: gates.renew_gate_key,
    NoteGateLink: gates.note_gate_link,
    SetCamera: cameras.set_camera,
    RenewCameraKey: cameras.renew_camera_key,
    RevokeCamera: cameras.revoke_camera,
    ReadPlate: cameras.read_plate,
}
"""Command → the function that decides and carries it out."""
