"""One table over everything that is committed: a row for each protocol or task, population, agent and shield."""
