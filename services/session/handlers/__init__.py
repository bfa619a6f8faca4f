"""What session does, over its view and the log; nothing here knows HTTP or a driver."""
