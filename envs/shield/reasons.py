"""Why a shield changed a request: one code for each check."""

from enum import IntEnum


class Reason(IntEnum):
    """Why a request was changed; NONE when it was not."""

    NONE = 0
    INVALID_REQUEST = 1
    MAX_BASAL = 2
    MAX_BOLUS = 3
    MAX_IOB = 4
    STALE = 5
    IMPOSSIBLE = 6
    JUMP = 7
    FLAT = 8
    PREDICTED_LOW = 9
    LOW = 10
    STARVATION = 11


REASONS = tuple(reason.name.lower() for reason in Reason)
"""The names, in the order of the codes."""
