"""How recordings lie on disk: one file per format, and what the formats share."""
