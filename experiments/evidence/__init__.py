"""How often people come to harm behind a shield: bodies of a sampler, counted, with an upper bound for a new one."""
