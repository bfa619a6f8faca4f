"""Redis, real or embedded: what can be rebuilt from the log."""

from libs.store.open import Pipeline, Redis, StoreUnavailable, WatchError, open_store

__all__ = ["Pipeline", "Redis", "StoreUnavailable", "WatchError", "open_store"]
