"""Limits of the gateway, raised for tests: there a few people ask what in life a crowd asks.

Every suite and cluster of the harness starts with these; what a test sets itself counts more.
"""

# Far above what a test reaches on any machine.
OFTEN = "100000"
MANY = "1000000"

EASE = {
    # Pages are read one after the other, until the channel ends.
    "gateway_pages_per_s": OFTEN,
    "gateway_pages_burst": MANY,
    # Hundreds of followers share a few sessions.
    "gateway_polls_per_s": OFTEN,
    "gateway_polls_large_per_s": OFTEN,
    "gateway_polls_burst": MANY,
    # One person posts hundreds a second.
    "gateway_posts_per_s": OFTEN,
    "gateway_posts_burst": MANY,
    "gateway_posts_member_per_s": OFTEN,
    "gateway_posts_member_burst": MANY,
    # All connections come from this machine, at once.
    "gateway_connections_user_max": MANY,
    "gateway_connections_address_max": MANY,
    "gateway_connects_per_s": OFTEN,
    "gateway_connects_burst": MANY,
}
