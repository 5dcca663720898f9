"""The mutations that `make torture` tries still fit the sources: each changes what it says, and its tests exist."""

from __future__ import annotations

import pytest

from tests.torture.job import ROOT
from tests.torture.mutation import Mutation, mutated
from tests.torture.mutations import MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.breaks for mutation in MUTATIONS])
def test_a_mutation_fits(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert mutated(mutation, text) != text
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_there_are_enough_and_no_two_of_one_name() -> None:
    assert len(MUTATIONS) >= 20
    assert len({mutation.breaks for mutation in MUTATIONS}) == len(MUTATIONS)
