"""One day of one person under an agent, explained: what was seen, asked and allowed, what moved it, and what else."""
