"""Cards of policies and protocols: what each is, what it was made on, what may be claimed with it."""
