"""Real Kafka brokers on this machine, without containers: for tests and for development."""
