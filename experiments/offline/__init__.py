"""Learning from logged days without acting: what was logged, what is learned of it, and what it is said to be worth."""
