"""Up to where one has read outlives the program."""

from pathlib import Path

import pytest

from cli.chat.marks import Marks
from rostrum import Cursor

ONE, OTHER = "01KA3Q5V8Z0J6T4M2N7R9X1C3E", "01KA3Q6A2B4C6D8E0F1G3H5J7K"


def test_what_is_saved_is_there_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "cursors.json"
    marks = Marks(path)
    assert marks.of(ONE) is None
    marks.note(ONE, Cursor(1, 4))
    marks.note(ONE, Cursor(1, 5))
    marks.note(OTHER, Cursor(2, 0))
    assert marks.of(ONE) == "1-5"
    assert Marks(path).of(ONE) is None
    marks.save()
    again = Marks(path)
    assert (again.of(ONE), again.of(OTHER)) == ("1-5", "2-0")


def test_a_file_of_something_else_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "cursors.json"
    path.write_text("[1, 2]")
    with pytest.raises(ValueError, match="remove it"):
        Marks(path)
