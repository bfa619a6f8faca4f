"""The tests find every sin that we could think of, and name the law that it breaks."""

from pathlib import Path

import pytest

from tests.mutants.mutant import RUN_S, Mutant, apply, broken_laws, mutants

MUTANTS_MIN = 12
ENDED_S = 60
ALL = mutants()


def test_there_are_mutants_of_the_laws_of_posting_and_reading() -> None:
    assert len(ALL) >= MUTANTS_MIN
    assert {mutant.law for mutant in ALL} >= {
        "L1",
        "L2",
        "L3",
        "L4",
        "L5",
        "L6",
        "L7",
        "L8",
        "L9",
        "L10",
    }


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: str(mutant.patch.stem))
def test_a_mutant_fits_the_code_as_it_is(mutant: Mutant, tmp_path: Path) -> None:
    apply(mutant, tmp_path)


@pytest.mark.mutants
@pytest.mark.timeout(RUN_S + ENDED_S)
@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: str(mutant.patch.stem))
def test_a_mutant_does_not_survive(mutant: Mutant, tmp_path: Path) -> None:
    """The unchanged test command on the patched tree fails and names the law."""
    apply(mutant, tmp_path)
    laws, output = broken_laws(tmp_path)
    assert mutant.law in laws, f"{mutant.sin}: not found as {mutant.law}, but {laws}\n{output}"
