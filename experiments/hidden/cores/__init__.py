"""Bodies with other equations than the twins that are fitted to them, each written from its publication."""
