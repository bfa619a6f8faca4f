"""Connections that stay: what they begin with, and what is written to them."""
