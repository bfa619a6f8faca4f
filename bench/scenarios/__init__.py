"""The scenarios, one a module; `table.py` names them."""
