"""Adapters of the core: one environment, a vector of them, and Stable-Baselines3's vector."""
