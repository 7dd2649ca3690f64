"""From a person's records to a twin and what may be done with it: fits, cards, figures."""
