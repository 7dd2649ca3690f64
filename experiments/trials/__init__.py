"""Trials in people, done again on twins: what they showed, and a table of the twin beside it."""
