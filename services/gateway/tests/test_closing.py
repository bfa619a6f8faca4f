import pytest

from libs.wire.codes import CODES, problem
from services.gateway.streams.closing import DRAINED, EXPIRED, NO_HELLO, SLOW, closing_of

# What a close frame has room for.
REASON_BYTES_MAX = 123


@pytest.mark.parametrize("code", CODES)
def test_a_problem_closes_with_what_to_do_about_it(code: str) -> None:
    closing = closing_of(problem(code, "x"))
    # 44xx: change something first; 45xx: come again as you are.
    assert (closing.code < 4500) == (CODES[code].retry == "no")
    assert (closing.code == 4401) == (CODES[code].status == 401)
    assert 0 < len(closing.reason.encode()) <= REASON_BYTES_MAX


def test_reasons_fit_into_a_close_frame() -> None:
    for closing in (DRAINED, EXPIRED, NO_HELLO, SLOW):
        assert 4400 <= closing.code < 4600
        assert len(closing.reason.encode()) <= REASON_BYTES_MAX
