"""`rostrum`: the commands of operators and members."""

import sys
from pathlib import Path

# In a tree the client is not installed: it is found beside. One that is installed counts first.
CLIENT = Path(__file__).parents[1] / "clients" / "python" / "src"

if CLIENT.is_dir() and str(CLIENT) not in sys.path:
    sys.path.append(str(CLIENT))
