"""Models of a body: arrays of states advanced by the minute."""
