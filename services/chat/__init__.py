"""Posts: who may, in which order, and each of them once."""
