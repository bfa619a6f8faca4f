"""Sins against the laws, as patches to the code, and the run of the tests that must find each."""
