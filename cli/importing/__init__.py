"""`rostrum import`: a Telegram Desktop export becomes entries of a channel, in its order."""
