"""What tests are made with: turned clocks, waits with a deadline, a loop ruled by a seed.

Imported by tests only.
"""
