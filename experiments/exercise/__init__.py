"""Exercise in the twin, beside what trials in people showed."""
