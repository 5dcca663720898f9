"""The figures of risk rules as JSON and back: by name, without the unit that their engine names end in; spans in seconds."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Raw

from engine.kinds import RiskRule
from engine.refusals import Refusal
from engine.risk_figures import FIGURES, Figure
from engine.units import SECOND_US
from handlers.numbers import cash, quantity, read_amount_e4, read_quantity_e8, scaled
from server.errors import RefusedAtBorder

FigureIn = Annotated[
    Raw,
    Meta(
        description="A number, read exactly.",
        extra_json_schema={
            "type": ["number", "string"],
            "pattern": r"^[0-9]{1,16}(\.[0-9]{1,8})?$",
            "minimum": 0,
        },
    ),
]
FiguresJson = Annotated[
    dict[str, Any],
    Meta(description="the rule's figures by name; docs/risk.md says what each means"),
]
COUNT_MAX: Final = 10**15


def name_of(figure: Figure) -> str:
    """How clients call a figure."""
    stem, _, unit = figure.name.rpartition("_")
    return {"e4": stem, "e8": stem, "us": f"{stem}_s"}.get(unit, figure.name)


def figures_json(rule: RiskRule, figures: tuple[int, ...]) -> dict[str, Any]:
    """A rule's figures by name."""
    found: dict[str, Any] = {}
    for figure, value in zip(FIGURES[rule], figures, strict=True):
        unit = figure.name.rpartition("_")[2]
        shown: Any = value
        if unit == "e4":
            shown = cash(value)
        elif unit == "e8":
            shown = quantity(value)
        elif unit == "us":
            shown = value // SECOND_US
        found[name_of(figure)] = shown
    return found


def read_figures(rule: RiskRule, sent: dict[str, Raw], others: tuple[int, ...]) -> tuple[int, ...]:
    """The figures that a client sends, the others as they are. Raises RefusedAtBorder."""
    known = {name_of(figure): figure for figure in FIGURES[rule]}
    for name in sent:
        if name not in known:
            raise RefusedAtBorder(
                Refusal.INVALID_RISK_RULE, f"figures.{name}", f"is no figure of {rule.name}"
            )
    return tuple(
        _read(figure, sent[name], f"figures.{name}") if name in sent else others[at]
        for at, (name, figure) in enumerate(known.items())
    )


def _read(figure: Figure, raw: Raw, field: str) -> int:
    unit = figure.name.rpartition("_")[2]
    if unit == "e4":
        return read_amount_e4(raw, field)
    if unit == "e8":
        return read_quantity_e8(raw, field)
    count = scaled(raw, field, 0)
    if count is None or not 0 <= count <= COUNT_MAX:
        raise RefusedAtBorder(Refusal.INVALID_RISK_RULE, field, "must be a whole number within its bounds")
    return count * SECOND_US if unit == "us" else count
