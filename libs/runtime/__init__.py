"""How a service lives: process, settings, calls, health, metrics, logs, clock, views of the log."""
