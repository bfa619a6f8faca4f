"""`make demo`: a chat is imported while hundreds follow it, and every delivery is counted."""
