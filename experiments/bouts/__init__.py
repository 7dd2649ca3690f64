"""Agents around a session of exercise: judged, tuned, trained, shown."""
