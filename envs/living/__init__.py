"""Ordinary life around insulin and food: sleep, work, strain and exercise of whole persons."""
