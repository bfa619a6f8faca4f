"""`make demo`: a chat is imported while hundreds follow it, and every delivery is counted."""

# In a tree the client is not installed: the commands know where it is.
import cli as cli
