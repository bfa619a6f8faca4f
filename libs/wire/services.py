"""The names of the services, once: what commands, addresses, topics, keys and metrics call them."""

GATEWAY = "gateway"
CHAT = "chat"
GROUP_MEMBERSHIP = "group-membership"
SESSION = "session"
RELAY = "relay"
