"""A session of exercise within a day: when it may begin, what is advised around it, and what of it is seen."""
