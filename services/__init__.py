"""The services, one folder each; `catalog` names them."""
