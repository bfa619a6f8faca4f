"""Faults under load: a seeded plan of what dies, stands still, is cut off or runs full, clients
that go on meanwhile, and a verdict over what they saw."""
