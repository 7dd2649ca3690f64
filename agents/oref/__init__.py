"""oref0, the reference design of the open artificial pancreas, in Python: loop, carbs on board, autosens, autotune.

Written anew from its documentation and from how the JavaScript package (openaps/oref0, MIT licence) behaves, and set
beside that package state by state (`tests/reference/test_oref0.py`). What is left out is what a pump's radio and a
phone need: a pump's history that disagrees with its display, calibrations, mmol/L in messages, neutral temps that are
skipped before the hour.
"""
