"""What was found: evaluations as they are read, and the tidy tables of a study made from them."""
