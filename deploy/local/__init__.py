"""The suite as processes on this machine: a broker, a Redis, every service, and one log view."""
