"""HTTP at the edge: polls, pages, what is handed on, the merged document."""
