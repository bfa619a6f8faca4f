"""Chance that is the same everywhere: Python promises the numbers of `random()` alone."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """What comes next is ruled by a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int(self._chance.random() * (most - least + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[self.number(0, len(choices) - 1)]

    def happens(self, percent: int) -> bool:
        """Whether something does that happens so often."""
        return self.number(1, 100) <= percent
