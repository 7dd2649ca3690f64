"""What may be claimed about an agent: configuration, runs, training, evaluation, figures, pages."""

import envs as envs  # first: it registers the ids, and silences old gym before Stable-Baselines3 imports it
