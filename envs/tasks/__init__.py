"""What is decided, seen and rewarded: one file per task. A task knows no integrator."""
