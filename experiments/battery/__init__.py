"""Agents under the faults of `envs.faults.battery`, paired with the same days without fault, and what that proves."""
