"""The edge: the public API, parked connections, the newest entries in memory."""
