"""The log in Apache Kafka: the only place that knows its driver.

The producer has one poll thread, every consumer one thread, and no thread touches the event loop
but by handing over: a burst of reports is one wake-up. What the driver raises stays behind this
door; the port's errors come out.
"""

from libs.log.kafka.inspection import KafkaInspection
from libs.log.kafka.log import KafkaLog, open_kafka

__all__ = ["KafkaInspection", "KafkaLog", "open_kafka"]
