"""Any JSON, and exports made of it, for tests."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(float)
    | st.text(max_size=20)
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
KEYS = ("messages", "chats", "left_chats", "list", "id", "name", "type", "item", "x")


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keyed = st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    return st.lists(inner, max_size=4) | keyed


# Documents that look like an export here and there.
NEARLY_EXPORTS = st.recursive(SCALARS, _grown, max_leaves=20)


def one_chat(messages: list[Any], **about: Any) -> dict[str, Any]:
    """An export of a single chat."""
    return {"name": "Shed", "type": "private_group", "id": 7} | about | {"messages": messages}


def message(ident: int = 1, text: Any = "hello", **fields: Any) -> dict[str, Any]:
    """A message of an export."""
    return {
        "id": ident,
        "type": "message",
        "from": "Mira",
        "date": "2021-05-17T09:30:12",
        "text": text,
    } | fields


def chats_of(document: object) -> list[Mapping[str, Any]]:
    """The chats with messages of an export that is in memory, in its order."""
    if not isinstance(document, dict):
        return []
    listed = [document]
    for section, value in document.items():
        found = (
            value.get("list")
            if section in ("chats", "left_chats") and isinstance(value, dict)
            else None
        )
        if isinstance(found, list):
            listed += [chat for chat in found if isinstance(chat, dict)]
    return [chat for chat in listed if isinstance(chat.get("messages"), list)]
