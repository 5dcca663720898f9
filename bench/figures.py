"""One figure of a benchmark as a line that a machine can read, and whether it reaches what DESIGN.md §10 asks.

    bench name=… value=… unit=… must=… aim=… met=… peer=… ratio=… [more=…]

`met` is `aim`, `must` or `no` and is left out where nothing is asked. `peer` is what the figure is compared with (a bare
server, a bare system call) in the same run and the same unit; `ratio` is the median of the rounds' value / peer.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def met(value: float, must: float | None, aim: float | None, *, lower_is_better: bool = False) -> str:
    """`aim`, `must` or `no`; '' where nothing is asked."""
    if must is None and aim is None:
        return ""

    def reaches(asked: float | None) -> bool:
        return asked is not None and (value <= asked if lower_is_better else value >= asked)

    if must is not None and not reaches(must):
        return "no"
    return "aim" if reaches(aim) else "no" if must is None else "must"


def report(
    name: str,
    value: float,
    unit: str,
    *,
    must: float | None = None,
    aim: float | None = None,
    peer: float | None = None,
    ratio: float | None = None,
    lower_is_better: bool = False,
    valid: bool = True,
    **more: float | str,
) -> None:
    """Print one figure. One that is not `valid`, since it was not measured under what was asked, meets nothing."""
    parts = {"name": name, "value": _text(value), "unit": unit}
    for label, figure in (("must", must), ("aim", aim)):
        if figure is not None:
            parts[label] = _text(figure)
    if verdict := met(value, must, aim, lower_is_better=lower_is_better):
        parts["met"] = verdict if valid else "no"
    for label, figure in (("peer", peer), ("ratio", ratio)):
        if figure is not None:
            parts[label] = _text(figure)
    parts |= {label: figure if isinstance(figure, str) else _text(figure) for label, figure in more.items()}
    print("bench " + " ".join(f"{label}={text}" for label, text in parts.items()), flush=True)


def median_ratio(values: Sequence[float], peers: Sequence[float]) -> float:
    """The median of what each round reached of its own peer."""
    return median(one / other for one, other in zip(values, peers, strict=True))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the sorted values lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _text(figure: float) -> str:
    if figure == int(figure) or abs(figure) >= 1_000:
        return f"{figure:.0f}"
    return f"{figure:.3f}" if abs(figure) < 100 else f"{figure:.1f}"
