"""Short days for tests: two scored days of a few people of the realistic protocol."""

from functools import cache

from agents import frozen
from agents.frozen import FrozenPolicy
from experiments.explain.day import explain
from experiments.explain.explained import Explained
from experiments.explain.lived import Lived, live
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.config_files import apply_overrides
from experiments.records.provenance import ROOT

POLICY = ROOT / "agents" / "policies" / "ppo-history" / "fold0-seed0"
PERSON, DAY = "child#001", 2


@cache
def protocol(*changes: str) -> ProtocolConfig:
    """Realistic, but for two scored days and nobody drawn."""
    return apply_overrides(load_protocol("realistic"), ["days=2", "drawn_per_group=0", *changes])


@cache
def policy() -> FrozenPolicy:
    """A committed one that has not met the person."""
    return frozen.load(POLICY)


@cache
def lived(*changes: str) -> Lived:
    """The person's first scored day under it."""
    return live(policy(), protocol(*changes), PERSON, DAY)


@cache
def explained() -> Explained:
    """The same explained, with all that a page shows."""
    return explain(policy(), str(POLICY), protocol(), PERSON, DAY, command="python -m scripts.explain")
