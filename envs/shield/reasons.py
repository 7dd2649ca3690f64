"""Why a shield changed a request: one code for each check, in the order in which the checks are made."""

from enum import IntEnum


class Reason(IntEnum):
    """Why a request was changed; NONE when it was not."""

    NONE = 0
    INVALID_REQUEST = 1
    MAX_BASAL = 2
    MAX_BOLUS = 3
    BOLUS_INTERVAL = 4
    MAX_IOB = 5
    MAX_HOURLY = 6
    MAX_DAILY = 7
    STALE = 8
    IMPOSSIBLE = 9
    JUMP = 10
    FLAT = 11
    PREDICTED_LOW = 12
    LOW = 13
    STARVATION = 14
    TWIN = 15


REASONS = tuple(reason.name.lower() for reason in Reason)
"""The names, in the order of the codes."""
