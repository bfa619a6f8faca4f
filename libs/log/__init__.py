"""The log: the port, its adapters, and the contract that each adapter passes."""
