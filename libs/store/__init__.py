"""Redis, real or embedded: what can be rebuilt from the log."""

from libs.store.open import VERSION_MIN, Pipeline, Redis, StoreUnavailable, WatchError, open_store

__all__ = ["VERSION_MIN", "Pipeline", "Redis", "StoreUnavailable", "WatchError", "open_store"]
