"""What may be claimed about an agent: configuration, runs, training, evaluation, figures, pages."""
