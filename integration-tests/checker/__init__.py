"""What happened to posts and readers, and whether the laws of the log (docs/laws.md) held."""
