"""Streams: connections that follow many channels, over WebSocket or server-sent events."""
