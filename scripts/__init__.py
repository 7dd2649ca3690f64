"""Command lines: parse, call `experiments`, exit. `python -m scripts.NAME` and `python scripts/NAME.py` both work."""
