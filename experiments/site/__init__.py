"""One static site over everything that is committed: overview, joint table, protocols, people, credibility."""
