"""The terms of an order and their text in its row."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.kinds import LotMethod, OrderClass
from engine.terms import NO_TERMS, Special, Terms
from sql.specials import special_json, special_of

figures = st.integers(0, 2**63 - 1)
pairs = st.lists(st.tuples(figures, figures), max_size=3).map(tuple)
terms = st.builds(
    Terms,
    *(figures, figures, figures, figures, st.booleans(), figures, st.booleans(), figures),
    *(st.none() | st.sampled_from(LotMethod), pairs),
)
specials = st.builds(
    Special,
    terms,
    *(
        st.sampled_from(OrderClass),
        figures,
        figures,
        st.lists(figures, max_size=2).map(tuple),
        figures,
        st.booleans(),
    ),
    *(figures, figures, figures, figures),
)


@given(specials)
def test_what_is_written_is_what_is_read(special: Special) -> None:
    found = special_of(special_json(special).decode())
    assert found == special
    assert found is not None
    assert type(found.order_class) is OrderClass
    assert found.terms.lot_method is None or type(found.terms.lot_method) is LotMethod


def test_only_what_says_something_is_written() -> None:
    assert special_json(Special(NO_TERMS)) == b"{}"
    assert special_of("{}") == Special(NO_TERMS)
    assert special_of(None) is None
    stop = Special(Terms(stop_e4=900_000), trigger_e4=900_000, is_armed=False)
    assert msgspec.json.decode(special_json(stop)) == {
        "stop_e4": 900_000,
        "is_armed": False,
        "trigger_e4": 900_000,
    }


def test_no_field_of_the_terms_has_the_name_of_one_beside_them() -> None:
    assert not set(Terms.__struct_fields__) & set(Special.__struct_fields__)
