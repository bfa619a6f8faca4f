"""`rostrum chat`: several channels in a terminal. All that it knows and shows is in `model.py`."""
