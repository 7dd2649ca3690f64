"""What differs between gymnasium 0.29 (which simglucose needs) and 1.x, and what else old packages need."""

import warnings
from typing import Any

from gymnasium import vector

_MODES: Any = getattr(vector, "AutoresetMode", None)  # 0.29 has no such word
OLD_GYMNASIUM = _MODES is None
SAME_STEP: Any = _MODES.SAME_STEP if _MODES else "SameStep"
"""How the vector faces begin new episodes: in the step that ends the old one, as SB3 does."""


def quiet_gym() -> None:
    """Silence what gym 0.9.4 says of pkg_resources: Stable-Baselines3 imports it where simglucose brought it."""
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
    warnings.filterwarnings("ignore", message="distutils Version classes", category=DeprecationWarning)
