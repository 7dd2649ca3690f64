"""Seasons of training, lived by many people and judged."""
