"""HTTP in: parse, call the handler, reply."""
