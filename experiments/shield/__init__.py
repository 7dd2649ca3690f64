"""The twin shield against its bars: who is judged in which world, what came of it, and what protection costs."""
