"""Sleep, the clock and stress in the twin, beside what trials in people showed."""
