"""The parts of a follower that are the same whatever way it listens by."""
