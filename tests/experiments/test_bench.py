"""Benchmarks run and measure what they say; how fast is never asserted, since machines differ."""

import numpy as np
import pytest

from experiments import bench


def test_kernel_and_simglucose_are_measured_in_turn() -> None:
    found = bench.kernel_speed(rounds=1, seconds=0.02)
    assert found["ratio_to_simglucose"] == pytest.approx(
        found["kernel_person_min_per_s"] / found["simglucose_person_min_per_s"]
    )
    assert found["simglucose_plain_person_min_per_s"] > found["simglucose_person_min_per_s"] > 0
    assert 0 < found["exercise_ratio_to_rest"] < 2
    assert 0 < found["whole_ratio_to_kernel"] < 2


def test_steps_of_both_environments_are_measured() -> None:
    found = bench.step_speed(rounds=1, seconds=0.02)
    assert 0 < found["step_us"] < found["simglucose_step_us"]


def test_the_twin_shield_and_the_cost_of_rules_are_measured() -> None:
    found = bench.shield_speed(rounds=1, seconds=0.02, decisions=20)
    assert 0 < found["twin_decision_ms"] <= found["twin_decision_p99_ms"]
    assert 0 < found["rule_ratio_to_off"] < 2


def test_simglucoses_environment_is_repaired_for_sb3() -> None:
    env = bench.SimglucoseEnv()
    first, _ = env.reset(seed=1)
    again, _ = env.reset(seed=2)
    assert first == again, "its seeds do nothing: this is what the project's own environment mends"
    observation, reward, terminated, truncated, _ = env.step(np.zeros(1, np.float32))
    assert env.observation_space.contains(observation) and isinstance(reward, float)
    assert terminated is False and truncated is False


@pytest.mark.slow
@pytest.mark.verify
def test_the_same_ppo_learns_on_both_environments() -> None:
    found = bench.ppo_speed(0.2, 0.2, lanes=20, their_steps=32, n_steps=12, batch_size=80)
    assert found["ratio_to_simglucose"] == pytest.approx(
        found["ppo_steps_per_s_5min"] / found["simglucose_ppo_steps_per_s"]
    )
    assert 0.2 < found["ppo_rule_ratio_to_off"] < 5
