"""What may be claimed about an agent: configuration, runs, training, evaluation, figures, pages."""

import os

# Before numpy is loaded. Matrices are small here: what several threads of one product wait for each other costs ten
# times the product on a busy machine, and work is spread over processes anyway.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import envs as envs  # first: it registers the ids, and silences old gym before Stable-Baselines3 imports it
