import asyncio
from itertools import count

import pytest

from libs.testing.eventually import eventually
from libs.testing.scheduler import run


async def test_the_first_truthy_value_is_returned() -> None:
    numbers = count()
    assert await eventually(lambda: next(numbers), within_s=5, every_s=0, what="a number") == 1


async def test_an_async_check_is_awaited_and_its_assertions_mean_not_yet() -> None:
    numbers = count()

    async def check() -> str:
        assert next(numbers) == 3
        return "there"

    assert await eventually(check, within_s=5, every_s=0, what="the third") == "there"


def _fails(check: object, within_s: float) -> str:
    async def main() -> None:
        assert callable(check)
        await eventually(check, within_s=within_s, what="the moon")

    with pytest.raises(AssertionError) as caught:
        run(1, main)
    return str(caught.value)


def test_at_the_deadline_the_last_value_is_told() -> None:
    seen: list[int] = []
    assert _fails(seen.clear, 0.5) == "the moon: not within 0.5 s; last seen: None"
    assert _fails(lambda: {}, 0.5) == "the moon: not within 0.5 s; last seen: {}"


def test_at_the_deadline_the_last_error_is_told() -> None:
    def check() -> None:
        raise AssertionError("3 of 5")

    assert "last seen: AssertionError('3 of 5')" in _fails(check, 0.5)


def test_a_check_that_hangs_ends_at_the_deadline() -> None:
    async def check() -> None:
        await asyncio.Event().wait()

    assert "the check did not return" in _fails(check, 0.5)


def test_a_check_is_asked_at_least_once() -> None:
    asked: list[int] = []
    assert "last seen: None" in _fails(lambda: asked.append(1), 0)
    assert asked == [1]


async def test_another_error_than_an_assertion_ends_the_wait() -> None:
    def check() -> None:
        raise KeyError("name")

    with pytest.raises(KeyError):
        await eventually(check, within_s=60, what="nothing")


async def test_a_timeout_of_the_check_itself_is_not_taken_for_the_deadline() -> None:
    async def check() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await eventually(check, within_s=60, what="nothing")
