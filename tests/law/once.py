"""A topic, a service and an environment variable are written in one place."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from libs.wire.records import KNOWN
from libs.wire.topics import POOL_PREFIX, TOPICS
from tests.law.names_in import Text, strings, text_of
from tests.law.tree import Source, production

TOPICS_HOME = "libs/wire/topics.py"
SERVICES_HOME = "libs/wire/services.py"
SETTINGS_HOME = "libs/runtime/settings.py"
VARIABLE = re.compile(r"\bROSTRUM_[A-Z]")
TAKES_TOPIC = frozenset({"Partition", "Topic", "describe"})


def violations(root: Path) -> list[str]:
    """Names that are written a second time."""
    services = service_names()
    found: list[str] = []
    for source in production(root):
        found.extend(_topics(source))
        found.extend(_services(source, services))
        found.extend(_variables(source))
    return found


def service_names() -> frozenset[str]:
    """The services of the catalog."""
    if find_spec("services") is None or find_spec("services.catalog") is None:
        return frozenset()
    from services.catalog import CATALOG

    return frozenset(entry.name for entry in CATALOG)


def _topics(source: Source) -> Iterator[str]:
    if source.rel == TOPICS_HOME:
        return
    names = {topic.name for topic in TOPICS}
    hyphened = {name for name in names if "-" in name}
    found = [text for text in strings(source) if text.value in hyphened or _is_pool(text.value)]
    # A name such as "members" is a word of JSON too; it is a topic where a topic is asked for.
    found += [text for text in _given_as_topic(source) if text.value in names - hyphened]
    for text in found:
        yield source.at(text.node, f"writes the topic {text.value!r}; take it from {TOPICS_HOME}")


def _is_pool(text: str) -> bool:
    return text.startswith(POOL_PREFIX)


def _given_as_topic(source: Source) -> Iterator[Text]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            given = [word.value for word in node.keywords if word.arg in {"topic", "topics"}]
            given += node.args[:1] if _name(node.func) in TAKES_TOPIC else []
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            given = sides if "topic" in map(_name, sides) else []
        else:
            continue
        for expression in given:
            yield from text_of(expression)


def _name(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _services(source: Source, services: frozenset[str]) -> Iterator[str]:
    if source.rel in {SERVICES_HOME}:
        return
    # A service whose name is a record's type as well ("session") is a word of the domain.
    for text in strings(source):
        if text.value in services - KNOWN.keys():
            what = f"writes the service name {text.value!r}"
            yield source.at(text.node, f"{what}; take it from {SERVICES_HOME}")


def _variables(source: Source) -> Iterator[str]:
    if source.rel == SETTINGS_HOME:
        return
    for text in strings(source):
        if VARIABLE.search(text.value):
            what = f"writes the variable {text.value!r}"
            yield source.at(text.node, f"{what}; {SETTINGS_HOME} derives it from the field")
