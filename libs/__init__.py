"""What the services share: wire, log, store, runtime, and testing (for tests only)."""
