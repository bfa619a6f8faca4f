"""Rules of refresh tokens."""

import pytest

from libs.wire.codes import Refused
from libs.wire.records import SessionState
from services.session import model

SESSION = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FIRST = model.refresh_token(SESSION, bytes(32))
SECOND = model.successor(FIRST, b"key")
STATE = SessionState(
    session=SESSION,
    user="u",
    device_name="phone",
    device_kind="cli",
    refresh_hash=model.digest(FIRST),
    previous_hash=b"",
    created_ms=0,
    rotated_ms=0,
)
ROTATED = model.rotated(
    STATE, present=model.digest(SECOND), given=model.digest(FIRST), now_ms=1_000
)


def test_a_token_names_its_session_and_holds_43_characters() -> None:
    assert model.session_of(FIRST) == SESSION
    assert len(FIRST.partition(".")[2]) == 43
    with pytest.raises(ValueError):
        model.refresh_token(SESSION, bytes(31))


@pytest.mark.parametrize(
    "text",
    ["", "x", SESSION, FIRST + "A", FIRST[:-1], FIRST.lower(), FIRST + "\n", "8" + FIRST[1:]],
)
def test_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        model.session_of(text)
    assert refused.value.code.name == "refresh_invalid"


def test_a_successor_depends_on_token_and_key_only() -> None:
    assert model.successor(FIRST, b"key") == SECOND
    assert len({FIRST, SECOND, model.successor(SECOND, b"key"), model.successor(FIRST, b"2")}) == 4
    assert model.session_of(SECOND) == SESSION


@pytest.mark.parametrize(
    ("state", "token", "now_ms", "verdict"),
    [
        (STATE, FIRST, 0, "rotate"),
        (STATE, SECOND, 0, "reused"),
        (ROTATED, SECOND, 999_999, "rotate"),
        (ROTATED, FIRST, 1_000, "repeat"),
        (ROTATED, FIRST, 11_000, "repeat"),
        (ROTATED, FIRST, 11_001, "reused"),
        (model.ended(ROTATED), SECOND, 1_000, "reused"),
        (model.ended(ROTATED), FIRST, 1_000, "reused"),
    ],
)
def test_present_counts_previous_counts_ten_seconds_and_all_else_is_reuse(
    state: SessionState, token: str, now_ms: int, verdict: str
) -> None:
    assert model.judge(state, model.digest(token), now_ms) == verdict


def test_rotation_keeps_everything_else() -> None:
    assert (ROTATED.user, ROTATED.created_ms, ROTATED.device_name) == ("u", 0, "phone")
    assert (ROTATED.rotated_ms, ROTATED.ended) == (1_000, False)
    assert ROTATED.previous_hash == STATE.refresh_hash
