from pathlib import Path

import pytest

from cli.importing.choice import LISTED_MAX, Unclear, chosen
from cli.importing.outline import Chat
from cli.importing.reading import Survey

SHED = Chat(1, "7", "Shed", "private_group", 1_200)
SAVED = Chat(2, "8", "", "saved_messages", 3)


def _survey(*chats: Chat, is_whole_account: bool = True) -> Survey:
    return Survey(Path("result.json"), "digest", chats, is_whole_account)


def test_the_only_chat_of_a_file_is_meant_unless_another_is_named() -> None:
    alone = _survey(SHED, is_whole_account=False)
    assert chosen(alone, None) == chosen(alone, "7") == SHED
    with pytest.raises(Unclear, match=r"no chat has the id or name 'Gate'; there are\n  7: Shed"):
        chosen(alone, "Gate")


def test_a_chat_of_an_account_is_named_by_id_or_name() -> None:
    account = _survey(SHED, SAVED)
    assert (chosen(account, "Shed"), chosen(account, "8")) == (SHED, SAVED)
    with pytest.raises(Unclear) as caught:
        chosen(account, None)
    assert str(caught.value) == (
        "the file is a whole account: say with --chat which one; there are\n"
        "  7: Shed (1,200 messages)\n  8: saved_messages (3 messages)"
    )


def test_of_two_chats_with_one_name_the_id_is_asked_for() -> None:
    with pytest.raises(Unclear, match="'Shed' are several: give the id"):
        chosen(_survey(SHED, Chat(3, "9", "Shed", "private_group", 1)), "Shed")


def test_of_many_chats_the_first_are_listed() -> None:
    with pytest.raises(Unclear, match="  and 5 more"):
        chosen(_survey(*[SHED] * (LISTED_MAX + 5)), None)
