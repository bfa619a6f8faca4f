"""Metrics of chat."""

from libs.runtime.metrics import counter, gauge, seconds

POSTS = counter(
    "chat_posts", "Posts by outcome: created, repeated or the problem's code", ["outcome"]
)
ACK_SECONDS = seconds("chat_ack_seconds", "From the post's arrival to its answer")
IN_FLIGHT = gauge("chat_posts_in_flight", "Posts whose append has not returned")
SIGNALS_DROPPED = counter("chat_signals_dropped", "Signals lost; relays find the entries anyway")
ACCESS_REMEMBERED = counter(
    "chat_access_remembered", "Posts let in by an earlier answer, as nobody could give a new one"
)
HINTS_LOST = counter("chat_hints_lost", "Hints not read or written; late repetitions are new posts")
MENTIONS_UNRESOLVED = counter(
    "chat_mentions_unresolved", "Posts that mention fewer than they name: session did not answer"
)
