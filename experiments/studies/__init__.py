"""Studies: their settings (a YAML file each), the cells these mean, and the way from cells to tables."""
