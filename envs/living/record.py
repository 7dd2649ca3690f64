"""What became of each day of an ordinary life: columns of `envs.living.life.Life.days`, for tables and figures.

A day reaches from waking to waking, so that its night is the one after it.
"""

COLUMNS = (
    "lived", "slept_h", "in_bed_h", "bed_h", "rise_h", "usual_bed_h", "usual_rise_h", "asked_bed_h", "asked_rise_h",
    "night_advised", "night_followed", "night_bound", "asked_min", "asked_reserve", "asked_at_h", "move_followed",
    "move_bound", "began_at_h", "done_min", "done_reserve", "own", "refused", "paused_min", "carbs_g", "debt_h", "fit",
    "sleepiness", "work", "heavy", "strength", "shift_h", "allowed_bed_h", "allowed_rise_h", "held_bed_h",
)  # fmt: skip
(
    LIVED, SLEPT_H, IN_BED_H, BED_H, RISE_H, USUAL_BED_H, USUAL_RISE_H, ASKED_BED_H, ASKED_RISE_H, NIGHT_ADVISED,
    NIGHT_FOLLOWED, NIGHT_BOUND, ASKED_MIN, ASKED_RESERVE, ASKED_AT_H, MOVE_FOLLOWED, MOVE_BOUND, BEGAN_AT_H,
    DONE_MIN, DONE_RESERVE, OWN, REFUSED, PAUSED_MIN, CARBS_G, DEBT_H, FIT, SLEEPINESS, WORK, HEAVY, STRENGTH, SHIFT_H,
    ALLOWED_BED_H, ALLOWED_RISE_H, HELD_BED_H,
) = range(len(COLUMNS))  # fmt: skip
"""lived: 1 once the day is over. *_bed_h after 24 where it is after midnight; usual_*: habit; asked_*: by the agent, of
exercise after the bounds; allowed_*: after the bounds, which is what was advised; held_bed_h: bedtime of the evening
before, as it was, which the bounds count from; bed_h, rise_h: as it was. *_followed, own: 1 or 0; *_bound: of
`envs.living.bounds.Bound`; refused: of `envs.bouts.bounds.Bound`, against which a start was asked for last. began_at_h:
0 without. debt_h, fit, sleepiness: on the waking that ends the day. strength: of the couplings."""
