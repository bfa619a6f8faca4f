"""Metrics of relay."""

from libs.runtime.metrics import counter, gauge

RINGS = gauge("relay_rings", "Channels in memory")
RING_BYTES = gauge("relay_ring_bytes", "Bytes of entries in memory, about")
LINKS = gauge("relay_links", "Gateways that are linked")
SIGNALS = counter("relay_signals", "Signals by what they were: news, old or gap", ["kind"])
HEALED = counter("relay_healed", "Entries that were read because their signal did not come")
READS = counter("relay_reads", "Blocks of pages that were read from the log")
SLOW_LINKS = counter("relay_slow_links", "Links closed because their outbox was full")
REFUSED = counter("relay_cut_back", "Times a partition was found to end below a known head")
