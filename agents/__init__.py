"""Who decides: people's usual treatments, learned policies, and how they are loaded."""
