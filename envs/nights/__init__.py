"""Three weeks of sleep under hours that are imposed: what is decided, allowed, lived and seen."""
