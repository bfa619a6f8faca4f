"""Channels, their members, roles and bans, and where each channel's log is."""
