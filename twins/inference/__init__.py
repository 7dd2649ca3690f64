"""How a twin comes to know its person: from what the world shows, never from the simulator's state."""
