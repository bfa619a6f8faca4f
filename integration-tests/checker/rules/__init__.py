"""One rule each: from a channel to its findings."""
