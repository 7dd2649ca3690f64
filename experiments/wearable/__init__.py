"""Wearables: the phase of the clock from real light and movement, and simulated days beside real ones."""
