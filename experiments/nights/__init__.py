"""Weeks of sleep: plans searched for, policies trained, all judged."""
