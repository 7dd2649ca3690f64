"""A season of training: what is decided once a day for twelve weeks, seen, forbidden and lived."""
