"""What the papers report of these protocols, with where it stands. Nothing here was computed by this project."""

from dataclasses import dataclass

_G2P2C = "RL4H/G2P2C, calculate_metrics_BSPC24.ipynb and calculate_metrics_child.ipynb (printed outputs)"
_FOX = "Fox and others, MLHC 2020, abstract"
_EMERSON = "Emerson and others, J Biomed Inform 142 (2023) 104376, abstract"


@dataclass(frozen=True)
class Claim:
    """A published row. Shares of time in %; `failed_pct`: of episodes; risks after Magni, medians of episodes.

    group: an age group, or "all". None: not published.
    """

    protocol: str
    agent: str
    group: str
    source: str
    tir_pct: float | None = None
    below_70_pct: float | None = None
    failed_pct: float | None = None
    magni_risk: float | None = None


CLAIMS: tuple[Claim, ...] = (
    Claim("fox2020", "best without learning", "all", _FOX, magni_risk=8.34),
    Claim("fox2020", "SAC with GRU", "all", _FOX, magni_risk=4.24),
    Claim("g2p2c", "BBI", "adult", _G2P2C, 71.02, 0.70, 0.39),
    Claim("g2p2c", "PPO", "adult", _G2P2C, 69.12, 1.51, 2.79),
    Claim("g2p2c", "G2P2C", "adult", _G2P2C, 72.69, 1.33, 1.62),
    Claim("g2p2c", "BBI", "adolescent", _G2P2C, 71.43, 0.47, 0.00),
    Claim("g2p2c", "PPO", "adolescent", _G2P2C, 63.72, 1.58, 4.93),
    Claim("g2p2c", "G2P2C", "adolescent", _G2P2C, 64.33, 1.24, 1.48),
    Claim("g2p2c", "BBI", "child", _G2P2C, 67.21, 7.78, 51.47),
    Claim("g2p2c", "PPO", "child", _G2P2C, 64.28, 2.56, 5.38),
    Claim("g2p2c", "G2P2C", "child", _G2P2C, 63.60, 1.24, 2.67),
    Claim("emerson2023", "PID", "all", _EMERSON, 61.6),
    Claim("emerson2023", "TD3-BC", "all", _EMERSON, 65.3),
)
UNKNOWN_MEALS = ("g2p2c", "child")
"""Whether children ate the adults' meals there is not known, so that nothing is claimed of them."""
EQUIVALENT_WITHIN = 2.0
"""Points of time in range within which a clinical treatment has been repeated."""
REPEATED = {("g2p2c", "BBI"): "basal-bolus-g2p2c"}
"""Whose treatment is known to the last line, and what it is called here."""


def of(protocol: str, group: str) -> list[Claim]:
    """The published rows of one protocol and group."""
    return [one for one in CLAIMS if (one.protocol, one.group) == (protocol, group)]
