"""Metrics of the gateway."""

from libs.runtime.metrics import counter, gauge, seconds, sizes

PARKED = gauge("gateway_parked", "Connections that wait for something to come")
ROOMS = gauge("gateway_rooms", "Channels that this gateway watches")
RING_BYTES = gauge("gateway_ring_bytes", "Bytes of encoded entries in memory")
ANSWERS = counter("gateway_answers", "Poll answers by what they said", ["kind"])
DELIVERY_LAG = seconds("delivery_lag_seconds", "Append to write, of the newest entry of a wake")
WAKE_TIME = seconds("gateway_wake_seconds", "A message: until all who wait for it here are told")
SLICE_TIME = seconds("gateway_slice_seconds", "Work on large wakes in a turn of the loop")
BUFFERED = gauge("gateway_buffered_bytes", "What clients of streams have not taken yet")
ADMITTED = counter("gateway_admitted", "Streams that were let in, by way", ["way"])
FEED_BREAKS = counter("gateway_feed_breaks", "Links to a relay that broke")
GAPS = counter("gateway_gaps", "Gaps in the feed, each fetched anew")
CHANGES_SILENT = gauge(
    "gateway_changes_silent_seconds", "Since the quietest source of changes was heard", ["topic"]
)
ENDED = counter("gateway_access_ended", "Parked connections ended by a change of access")
LANE_WAITING = gauge("gateway_lane_waiting", "Posts on their way to chat")
LANE_BATCH = sizes("gateway_lane_batch", "Posts of one batch to chat")
LANE_REROUTED = counter("gateway_lane_rerouted", "Posts whose chat instance was not reached")
STREAMS = gauge("gateway_streams", "Open streams, by WebSocket and by events")
STREAMS_CLOSED = counter("gateway_streams_closed", "Streams that ended, by close code", ["code"])
LIMITS_HIT = counter("gateway_limits_hit", "Requests refused, or polls held, by limit", ["limit"])
