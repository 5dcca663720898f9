"""How an aggregate becomes a row and comes back: the class says which fields it has, of what types, and with which defaults.

A row is the tuple of the fields that are not derived, in the order in which the class has them. A field is added at the end
and with a default, so that rows written before it existed are still read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_type_hints

from msgspec import Struct

if TYPE_CHECKING:
    from engine.state import State

Row = tuple[Any, ...]

_LINKS: Final = {"Account": object, "BookSide": object, "Position": object}
"""Names in annotations that only a type checker imports. Fields of these types are derived: no row has them."""


class Kind(NamedTuple):
    """How one kind of aggregate is saved. `key_type` and `row_type` are the types to decode to.

    `defaults` are those of the last fields of the row: what a row lacks that was written before they existed. `find` is there for
    aggregates that are replaced and never changed, and that encode as their rows do: it finds one to be written as it is.
    """

    key_type: Any
    row_type: Any
    keys: Callable[[State], Iterable[Any]]
    dump: Callable[[State, Any], Row | None]
    load: Callable[[State, Any, Row], None]
    defaults: Row = ()
    find: Callable[[State], Callable[[Any], Struct | None]] | None = None


class RowOf(NamedTuple):
    """The rows of a class: their fields, their type, how one is taken, and the defaults of the last fields."""

    fields: tuple[str, ...]
    row_type: Any
    dump: Callable[[Any], Row]
    defaults: Row


def row_of(aggregate: type, derived: Iterable[str] = ()) -> RowOf:
    """The rows of an aggregate's class, without the fields that `rebuild` makes."""
    hints = get_type_hints(aggregate, localns=_LINKS)
    left_out = frozenset(derived)
    fields = {name: default for name, default in _defaults(aggregate).items() if name not in left_out}
    defaults = tuple([default for default in fields.values() if default is not _REQUIRED])
    if tuple(fields.values())[len(fields) - len(defaults) :] != defaults:
        raise TypeError(f"{aggregate.__name__} has a field without a default after one that has one")
    names = tuple(fields)
    taken = attrgetter(*names)
    dump = taken if len(names) > 1 else lambda each: (taken(each),)
    return RowOf(names, tuple.__class_getitem__(tuple([hints[name] for name in names])), dump, defaults)


_REQUIRED: Final = object()


def _defaults(aggregate: type) -> dict[str, Any]:
    """Each field's default, or `_REQUIRED`."""
    if issubclass(aggregate, Struct):
        names, defaults = aggregate.__struct_fields__, aggregate.__struct_defaults__
        first = len(names) - len(defaults)
        return {name: defaults[i - first] if i >= first else _REQUIRED for i, name in enumerate(names)}
    if not dataclasses.is_dataclass(aggregate):
        raise TypeError(f"{aggregate.__name__} is neither a struct nor a dataclass")
    return {
        each.name: each.default if each.default is not dataclasses.MISSING else _REQUIRED
        for each in dataclasses.fields(aggregate)
        if each.default_factory is dataclasses.MISSING
    }


def kept_in(
    table: str, of: RowOf
) -> tuple[Any, Callable[[State], Iterable[Any]], Callable[[State, Any], Row | None]]:
    """Row type, keys and dump of a kind that lives in one dict of the state."""
    the_table = attrgetter(table)
    fields = of.dump

    def keys(state: State) -> Iterable[Any]:
        found: Iterable[Any] = the_table(state)
        return found

    def dump(state: State, key: Any) -> Row | None:
        aggregate = the_table(state).get(key)
        return None if aggregate is None else fields(aggregate)

    return of.row_type, keys, dump


def load_into(table: str, make: Callable[..., Any]) -> Callable[[State, Any, Row], None]:
    """Load of a kind that lives in one dict of the state."""
    the_table = attrgetter(table)

    def load(state: State, key: Any, row: Row) -> None:
        the_table(state)[key] = make(*row)

    return load


def kind_of(
    key_type: Any,
    table: str,
    aggregate: type,
    derived: Iterable[str] = (),
    load: Callable[[State, Any, Row], None] | None = None,
) -> Kind:
    """A kind whose aggregates are instances of a class in one dict of the state."""
    rows = row_of(aggregate, derived)
    the_table = attrgetter(table)
    find = (lambda state: the_table(state).get) if is_its_row(aggregate) else None
    return Kind(key_type, *kept_in(table, rows), load or load_into(table, aggregate), rows.defaults, find)


def is_its_row(aggregate: type) -> bool:
    """Whether instances of a class never change and encode as the tuple of all their fields."""
    if not issubclass(aggregate, Struct):
        return False
    config = aggregate.__struct_config__
    return config.frozen and config.array_like and config.tag is None and not config.omit_defaults
