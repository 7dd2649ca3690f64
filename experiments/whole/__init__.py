"""Whole persons: agents found, lived under and judged, with and without couplings."""
