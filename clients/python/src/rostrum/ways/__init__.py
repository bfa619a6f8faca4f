"""The ways to listen: one contract (`rostrum.ways.way`), each with a module of its own."""
