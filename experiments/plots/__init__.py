"""Figures, drawn from tidy tables: functions `(data, ..., ax=None) -> Axes`.

Without `ax` a figure of its own is made. None keeps state, none calls pyplot. Whoever shows a figure writes the
numbers of persons, seeds and days into its caption: `style.describe` gives them.
"""
