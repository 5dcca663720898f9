"""Tariffs in an operator's hands: each change is a new version. Config is what counts at the next start."""

from __future__ import annotations

from typing import Final

import msgspec

from config.tariff_checks import unfit_amounts
from config.tariff_records import TariffTerms
from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_commands import SetTariff
from engine.parking.tariff_events import TariffSet
from engine.parking.tariff_setting import tariff_now
from engine.refusals import Refusal
from handlers.admin_risk import as_operator
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.order_body import plain_text
from handlers.orders import HIT
from handlers.request_input import read_number
from handlers.tariff_json import tariff_json
from server.errors import NotFound, RefusedAtBorder
from server.tariff_config import tariff_of

VERSION_MAX: Final = 999_999_999

_terms: Final = msgspec.json.Decoder(TariffTerms)


async def tariffs(call: Call) -> Answer:
    """`GET /admin/parking/tariffs`: the last version of each."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    names = sorted(parking.tariff_versions)
    data = encoded([tariff_json(parking.tariffs[name, parking.tariff_versions[name]]) for name in names])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def tariff(call: Call) -> Answer:
    """`GET /admin/parking/tariffs/{tariff}?version=`: the last version, or that one."""
    runtime = call.services.runtime
    version = read_number(call.query, "version", 0, least=1, most=VERSION_MAX)
    parking, seq = runtime.state.parking, runtime.state.seq
    name = call.path("tariff")
    found = parking.tariffs.get((name, version)) if version else tariff_now(parking, name)
    if found is None:
        raise NotFound("There is no such tariff.")
    data = encoded(tariff_json(found))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_tariff(call: Call) -> Answer:
    """`PUT /admin/parking/tariffs/{tariff}`: a new version, unless it is the last one again. Every mistake at once."""
    terms, name = call.decode(_terms), call.path("tariff")
    wrong = [*unfit_amounts(terms)]
    if not wrong:
        named = (terms.bands, terms.events, terms.passes)
        for label in [each.label for some in named for each in some]:
            plain_text(label, "label")
        wanted = tariff_of(terms, name)
        wrong = mistakes(wanted)
    if wrong:
        raise _mistaken(wrong)
    applied = await as_operator(call, SetTariff(wanted))
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    told = [event.tariff for event in applied.answer if isinstance(event, TariffSet)]
    now = told[0] if told else tariff_now(call.services.runtime.state.parking, name)
    assert now is not None
    headers = HIT if applied.duplicate else None
    return success_as_of(encoded(tariff_json(now)), applied.seq, headers=headers)


def _mistaken(wrong: list[str]) -> RefusedAtBorder:
    refused = RefusedAtBorder(Refusal.INVALID_TARIFF, "", wrong[0])
    refused.details = {"count": len(wrong), "problems": wrong}
    return refused
