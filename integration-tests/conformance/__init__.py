"""Gateways that play `docs/conformance.json` over real sockets: for clients in any language."""
