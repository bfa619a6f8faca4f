"""Who may do what: the table, and the people and channels that it speaks of."""
