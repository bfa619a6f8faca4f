"""Metrics of chat."""

from libs.runtime.metrics import counter, gauge, seconds

POSTS = counter(
    "chat_posts", "Posts by outcome: created, repeated or the problem's code", ["outcome"]
)
ACK_SECONDS = seconds("chat_ack_seconds", "From the post's arrival to its answer")
IN_FLIGHT = gauge("chat_posts_in_flight", "Posts whose append has not returned")
SIGNALS_DROPPED = counter("chat_signals_dropped", "Signals lost; relays find the entries anyway")
