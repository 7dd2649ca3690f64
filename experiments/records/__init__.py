"""What experiments write and read, and how it stays whole: tables, settings files, locks, checkpoints, provenance."""
