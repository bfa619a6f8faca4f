"""Metrics of session."""

from libs.runtime.metrics import counter, gauge

HASHES_INSIDE = gauge("session_hashes_inside", "Passwords that are hashed or wait for it")
SIGN_INS = counter("session_sign_ins", "Attempts to sign in, by outcome", ["outcome"])
REFRESHES = counter("session_refreshes", "Refreshes of live sessions, by verdict", ["verdict"])
SKIPPED = counter("session_records_skipped", "Records that could not be read", ["topic"])
