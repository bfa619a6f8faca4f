"""Names agree wherever they are used."""

from libs.wire.topics import TOPICS, VIEWS, pool
from tests.law.once import service_names

TABLE = (*TOPICS, pool(0, 1))


def test_the_catalog_has_services() -> None:
    assert service_names()


def test_topics_are_written_and_read_by_services_of_the_catalog() -> None:
    named = {name for topic in TABLE for name in (*topic.writers, *topic.readers)}
    assert named <= service_names()


def test_who_has_a_view_of_a_topic_reads_it() -> None:
    assert VIEWS
    for service, topics in VIEWS.items():
        assert all(service in topic.readers for topic in topics)


def test_every_topic_has_a_writer_and_a_reader_and_a_name_of_its_own() -> None:
    assert all(topic.writers and topic.readers and topic.holds for topic in TABLE)
    assert len({topic.name for topic in TABLE}) == len(TABLE)
