"""Settings: every mistake is named with its file, key and near miss; what is written is read back."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.actors import ALGOS
from experiments.config import TrainConfig, kind_of, load_hyperparams, train_settings
from experiments.hyperparams import SETTINGS, PpoConfig
from experiments.protocol import ProtocolConfig, load_protocol, protocols
from experiments.records.config_files import (
    ConfigError,
    apply_overrides,
    build,
    descriptions,
    dump_yaml,
    load_yaml,
    parse_yaml,
    save,
    show,
)
from tests.agents import tiny_policy


def _protocol(**changes: Any) -> dict[str, Any]:
    return load_protocol("simglucose-default").model_dump() | changes


def _of(algo: str, **hyperparams: Any) -> dict[str, Any]:
    return {"algo": algo, "hyperparams": hyperparams}


def test_default_settings_are_the_tested_ones() -> None:
    config = TrainConfig()
    assert (config.env, config.algo, config.lanes, config.people) == (
        "Homeostat/Dosing-v0",
        "ppo",
        300,
        ("all",),
    )
    assert config.hyperparams == load_hyperparams()
    assert config.hyperparams.gamma == 0.95 and config.hyperparams.net_arch == (64, 64)


def test_default_protocol() -> None:
    protocol = load_protocol("simglucose-default")
    assert (protocol.sensor, protocol.sample_min, protocol.pump) == ("GuardianRT", 5, "Insulet")
    assert (protocol.days, protocol.replicas, protocol.seed, protocol.split) == (2, 10, 20000, "test")
    assert (protocol.glucose_failure_low_mg_dl, protocol.glucose_failure_high_mg_dl) == (10, 600)


@pytest.mark.parametrize("name", protocols())
def test_every_protocol_loads(name: str) -> None:
    assert load_protocol(name).name == name


def test_hash_of_a_protocol_follows_settings_and_kernels() -> None:
    protocol = load_protocol("simglucose-default")
    other = build(ProtocolConfig, _protocol(seed=20001))
    assert protocol.hash("k") == load_protocol("simglucose-default").hash("k")
    assert len({protocol.hash("k"), protocol.hash("l"), other.hash("k")}) == 3


def test_protocol_from_a_file_of_ones_own(tmp_path: Path) -> None:
    mine = build(ProtocolConfig, _protocol(name="mine", scenario="diary:me.csv"))
    save(mine, tmp_path / "mine.yml")
    assert load_protocol(str(tmp_path / "mine.yml")) == mine
    save(mine, tmp_path / "other.yml")
    with pytest.raises(ConfigError, match="other.yml: name: 'mine' given"):
        load_protocol(str(tmp_path / "other.yml"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"lane": 3}, "unknown key 'lane'; did you mean 'lanes'?"),
        ({"learning_rate": 1e-3}, "did you mean 'hyperparams.learning_rate'?"),
        ({"hyperparams": {"gama": 0.9}}, "unknown key 'gama' in hyperparams of ppo; did you mean 'gamma'?"),
        ({"zzzzzz": 0}, "unknown key 'zzzzzz'. Known are env, algo"),
        ({"lanes": math.nan}, "lanes: nan given"),
        ({"hyperparams": {"gamma": math.nan}}, "hyperparams.gamma: nan given"),
        ({"max_wall_s": math.inf}, "max_wall_s: inf given"),
        ({"lanes": -1}, "lanes: -1 given"),
        ({"lanes": 2.5}, "lanes: 2.5 given"),
        ({"lanes": True}, "lanes: True given"),
        ({"hyperparams": {"net_arch": [64, True]}}, "hyperparams.net_arch"),
        ({"n_timesteps": 1e300}, "n_timesteps: 1e+300 given"),
        ({"hyperparams": 3}, "hyperparams: 3 given; this is a section"),
        ({"init_from": 3}, "init_from: 3 given; a path is needed"),
        ({"shield": False}, "shield: False given"),
        ({"shield": "rul"}, "did you mean 'rule'? Allowed: rule, off"),
        ({"algo": "sacc"}, "algo: 'sacc' given; did you mean 'sac'? Allowed: ppo, recurrent_ppo"),
        ({"algo": 3}, "algo: 3 given. Allowed: ppo"),
        ({"algo": "sac", "lane": 3}, "unknown key 'lane'; did you mean 'lanes'?"),
        (
            _of("sac", gradient_step=2),
            "'gradient_step' in hyperparams of sac; did you mean 'gradient_steps'?",
        ),
        (
            _of("sac", clip_range=0.2),
            "unknown key 'clip_range' in hyperparams of sac. Known are learning_rate",
        ),
        (_of("td3", ent_coef=0.2), "unknown key 'ent_coef' in hyperparams of td3"),
        (_of("ppo", lstm_hidden_size=8), "unknown key 'lstm_hidden_size' in hyperparams of ppo"),
        (_of("sac", gamma=2), "hyperparams.gamma: 2 given"),
        (
            _of("sac", ent_coef="auto_0"),
            "hyperparams.ent_coef: 'auto_0' given; allowed are 0 to 10, auto, or auto_X",
        ),
        (_of("tqc", ent_coef=-1), "hyperparams.ent_coef: -1 given; allowed are 0 to 10"),
        (_of("crossq", ent_coef=math.nan), "hyperparams.ent_coef: nan given"),
        (
            _of("sac", target_entropy="low"),
            "hyperparams.target_entropy: 'low' given; allowed are -100 to 100",
        ),
        (_of("tqc", n_quantiles=2), "it must be below n_quantiles, 2"),
        (_of("sac", buffer_size=100), "hyperparams.buffer_size: 100 given; 300 lanes and n_steps"),
        (_of("recurrent_ppo", batch_size=101), "does not divide the rollout of 14400"),
        ({"people": ["adlt#001"]}, "did you mean 'adult#001'"),
        ({"people": []}, "no person was named"),
        ({"env": "Homeostat/Dosing-v1"}, "did you mean 'Homeostat/Dosing-v0'"),
        ({"protocol": "simglucose-defualt"}, "did you mean 'simglucose-default'?"),
        ({"decision_min": 7}, "give a multiple of 5"),
        ({"episode_days": 0.01}, "at least one decision"),
        ({"lanes": 101}, "use for example 2424"),
        ({"cost_limit": -0.01}, "cost_limit: -0.01 given"),
        ({"cost_limit": 2.1}, "cost_limit: 2.1 given"),
        ({"cost_limit": True}, "cost_limit: True given"),
        ({"cost_penalty": 101}, "cost_penalty: 101 given"),
        ({"cost_limt": 0.01}, "unknown key 'cost_limt'; did you mean 'cost_limit'?"),
        ({"lagrange_freq": 0, "cost_limit": 0.01}, "lagrange_freq: 0 given"),
        ({"lagrange_ki": 3}, "lagrange_ki: 3 given, which does nothing without a limit; give cost_limit"),
        (
            {"cost_limit": 0.01, "cost_penalty": 1},
            "cost_penalty: 1 given beside cost_limit 0.01, which moves",
        ),
        ({"cost_limit": 0.01, "lagrange_kp": 0, "lagrange_ki": 0}, "Give one above 0"),
        ({"lanes": 1, "hyperparams": {"n_steps": 1, "batch_size": 2}}, "at least two decisions"),
    ],
)
def test_mistakes_are_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        build(TrainConfig, data, "mine.yml")
    assert message in str(error.value)
    assert all(line.startswith("mine.yml: ") for line in str(error.value).splitlines())
    assert "pydantic" not in str(error.value) and "Traceback" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scenario": "simglucos"}, "did you mean 'simglucose'"),
        ({"behaviour": "realstic"}, "did you mean 'realistic'"),
        ({"sensor": "Dexcm"}, "did you mean 'Dexcom'"),
        ({"sample_min": 7}, "sample_min: 7 given; GuardianRT has 5, and allowed are parts of 15"),
        (
            {"sensor_range_mg_dl": [400, 40]},
            "sensor_range_mg_dl: 400, 40 given; needed is a lower and a higher",
        ),
        ({"glucose_failure_low_mg_dl": 100}, "glucose_failure_low_mg_dl: 100 given"),
        ({"seed": 2**32}, "seed"),
    ],
)
def test_mistakes_in_protocols_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        build(ProtocolConfig, _protocol(**changes), "p.yml")
    assert message in str(error.value)


def test_a_limit_of_cost_is_set_shown_and_explained() -> None:
    config = train_settings({"algo": "sac"}, None, ["cost_limit=0.01", "lagrange_kp=3"])
    assert (config.algo, config.cost_limit, config.lagrange_kp) == ("sac", 0.01, 3.0)
    shown = show(config)
    assert "\ncost_limit: 0.01\n" in shown and "PID-Lagrangian" in shown
    assert build(kind_of("sac"), parse_yaml(shown, "f")) == config
    assert train_settings({}, None, ["cost_limit=null"]) == TrainConfig()


@pytest.mark.parametrize(
    ("flags", "items", "said"),
    [({"n_timesteps": "abc"}, [], "command line: n_timesteps: 'abc'"), ({}, ["seed=x"], "--set: seed: 'x'")],
)
def test_an_error_says_where_the_setting_was_given(
    flags: dict[str, str], items: list[str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        train_settings(flags, None, items)


def test_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="p.yml: scenario is missing"):
        build(ProtocolConfig, {k: v for k, v in _protocol().items() if k != "scenario"}, "p.yml")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().lanes = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e6", 1e6),
        ("-1.2E+3", -1200.0),
        (".5", 0.5),
        ("1_000", 1000),
        ("off", "off"),
        ("yes", "yes"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("null", None),
        ("", None),
        ("'3e-4'", "3e-4"),
        ("e5", "e5"),
    ],
)
def test_plain_words_of_yaml(text: str, value: Any) -> None:
    found = parse_yaml(f"a: {text}", "f")["a"]
    assert found == value and type(found) is type(value)


def test_numbers_without_a_point_and_words_reach_the_settings(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(
        "n_timesteps: 1e6\nshield: off\nmax_wall_s: 60\npeople: adult, child\nhyperparams:\n  learning_rate: 3e-4\n"
    )
    config = build(TrainConfig, load_yaml(tmp_path / "c.yml"), "c.yml")
    assert config.n_timesteps == 1_000_000 and config.shield == "off" and config.people == ("adult", "child")
    assert config.hyperparams.learning_rate == 3e-4
    assert config.hyperparams.n_steps == load_hyperparams().n_steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [", "line 2"),
        ("a: 1\na: 2", "line 2: key 'a' is given twice"),
        ("[a]: 1", "a key must be a plain word"),
        ("- a", "expected lines 'name: value'"),
        ("a: !!python/object/apply:os.system [echo]", "line 1: the tag .*:os.system is not taken; write"),
        ("a: !!int x", "line 1: the tag tag:yaml.org,2002:int is not taken"),
        ("a: &x 1\nb: *x", "line 1: anchors and aliases .* are not taken; write the value out"),
        ("a: [" + "1," * 5000 + "1]", "line 1: more than 5000 values"),
        ("[" * 5000, "valid YAML|line"),
    ],
)
def test_broken_yaml_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.yml").write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_yaml(tmp_path / "c.yml")
    assert "c.yml" in str(error.value)


def test_file_that_is_missing_binary_or_empty(tmp_path: Path) -> None:
    (tmp_path / "settings.yml").write_bytes(b"")
    assert load_yaml(tmp_path / "settings.yml") == {}
    with pytest.raises(ConfigError, match="did you mean 'settings.yml'"):
        load_yaml(tmp_path / "setings.yml")
    (tmp_path / "settings.yml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_yaml(tmp_path / "settings.yml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_yaml(tmp_path)


@settings(deadline=None, max_examples=60)  # a busy machine is not a fault
@given(
    learning_rate=st.floats(0, 1, exclude_min=True),
    days=st.floats(0.1, 300),
    wall=st.none() | st.floats(1e-300, 1e300),
    seed=st.integers(0, 2**32 - 1),
    arch=st.lists(st.integers(1, 4096), max_size=4),
    path=st.none() | st.text(st.characters(exclude_categories=["C"]), min_size=1),
)
def test_written_settings_are_read_back_identically(
    learning_rate: float, days: float, wall: float | None, seed: int, arch: list[int], path: str | None
) -> None:
    inner = {"learning_rate": learning_rate, "net_arch": arch}
    data = {"episode_days": days, "max_wall_s": wall, "seed": seed, "init_from": path, "hyperparams": inner}
    config = build(TrainConfig, data)
    for text in (dump_yaml(config), show(config)):
        assert build(TrainConfig, parse_yaml(text, "f")) == config
    assert build(TrainConfig, yaml.safe_load(dump_yaml(config))) == config  # other readers agree


def test_a_text_read_twice_gives_values_of_its_own_each_time() -> None:
    first = parse_yaml("a: {b: [1, 2]}", "f")
    first["a"]["b"].append(3)
    assert parse_yaml("a: {b: [1, 2]}", "f") == {"a": {"b": [1, 2]}}


def test_words_that_other_readers_take_for_truth_are_quoted() -> None:
    config = build(TrainConfig, {"shield": "off"})
    assert "shield: 'off'" in show(config)
    assert yaml.safe_load(show(config))["shield"] == "off"


def test_shown_settings_carry_their_meaning() -> None:
    text = show(TrainConfig())
    assert "# environment steps between checkpoints\nsave_freq: " in text
    assert "  # discount per decision\n  gamma: 0.95" in text


def test_overrides() -> None:
    config = apply_overrides(
        TrainConfig(),
        [
            "train.learning_rate=1e-3",
            "hyperparams.net_arch=[32, 16]",
            "train.hyperparams.gamma=0.9",
            "shield=off",
            "people=adult#001,child",
            "max_wall_s=null",
            "n_timesteps=1e4",
        ],
    )
    assert config.hyperparams.learning_rate == 1e-3
    assert config.hyperparams.net_arch == (32, 16) and config.hyperparams.gamma == 0.9
    assert config.shield == "off" and config.people == ("adult#001", "child")
    assert config.max_wall_s is None and config.n_timesteps == 10_000
    assert apply_overrides(TrainConfig(), []) == TrainConfig()
    assert apply_overrides(load_protocol("simglucose-default"), ["protocol.replicas=2"]).replicas == 2


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("learning_rate", "expected NAME=VALUE"),
        ("=3", "expected NAME=VALUE"),
        ("train.lerning_rate=3", "unknown setting; did you mean 'hyperparams.learning_rate'"),
        ("seed=abc", "seed: 'abc' given"),
        ("gamma=nan", "gamma: 'nan' given"),
        ("gamma=.nan", "gamma: nan given"),
        ("gamma=[", "--set gamma=["),
        ("hyperparams=3", "this is a section"),
    ],
)
def test_wrong_overrides_are_named(item: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        apply_overrides(TrainConfig(), [item])
    assert message in str(error.value) and str(error.value).startswith("--set")


def test_every_setting_has_a_text_for_help() -> None:
    for kind in (TrainConfig, PpoConfig, ProtocolConfig):
        for name, text in descriptions(kind).items():
            assert len(text) > 5 and "%" not in text, name  # argparse would format a percent sign
    assert descriptions(TrainConfig)["lanes"].endswith("(default: 300)")
    assert "hyperparams.gamma" in descriptions(TrainConfig)


# --- other algorithms ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("algo", ALGOS)
def test_every_algorithm_has_settings_of_its_own_that_come_back_from_text(algo: str) -> None:
    config = build(TrainConfig, {"algo": algo, "lanes": 100})
    assert config.algo == algo and config.lanes == 100 and isinstance(config, TrainConfig)
    assert config.hyperparams == load_hyperparams(algo) and type(config.hyperparams) is SETTINGS[algo]  # type: ignore[index]
    for text in (dump_yaml(config), show(config)):
        assert build(TrainConfig, parse_yaml(text, "f")) == config
    assert type(config) is kind_of(algo) and build(kind_of(algo), {"lanes": 100}) == config
    for name, text in descriptions(type(config)).items():
        assert len(text) > 5 and "%" not in text, name


def test_no_learner_has_a_setting_of_another() -> None:
    held = {algo: set(kind.model_fields) for algo, kind in SETTINGS.items()}
    assert len({frozenset(names) for names in held.values()}) == len(ALGOS)
    assert "tau" not in held["crossq"] and "ent_coef" not in held["td3"] and "buffer_size" not in held["ppo"]
    assert held["recurrent_ppo"] - held["ppo"] == {"lstm_hidden_size", "enable_critic_lstm"}


def test_the_command_line_changes_settings_of_the_algorithm_that_it_names(tmp_path: Path) -> None:
    given = {"algo": "crossq", "seed": None, "lanes": "50"}
    config = train_settings(given, None, ["policy_delay=2", "train.ent_coef=auto", "hyperparams.gamma=0.9"])
    plain = config.hyperparams.model_dump()
    assert (config.algo, config.lanes, config.seed) == ("crossq", 50, 0)
    assert (plain["policy_delay"], plain["ent_coef"], plain["gamma"]) == (2, "auto", 0.9)
    assert train_settings({}, None, ["algo=td3"]).algo == "td3"
    save(config, tmp_path / "c.yml")
    assert train_settings({}, str(tmp_path / "c.yml"), []) == config
    assert train_settings({"algo": None}, None, []) == TrainConfig()
    with pytest.raises(
        ConfigError, match="--set polcy_delay: unknown setting; did you mean 'hyperparams.policy_d"
    ):
        train_settings(given, None, ["polcy_delay=2"])
    with pytest.raises(ConfigError, match="algo: 'crosq' given; did you mean 'crossq'"):
        train_settings({"algo": "crosq"}, None, [])
    with pytest.raises(ConfigError, match="c.yml: unknown key 'qf_arch' in hyperparams of ppo"):
        train_settings({"algo": "ppo"}, str(tmp_path / "c.yml"), [])


def test_fine_tuning_takes_from_the_saved_policy_what_it_cannot_change(tmp_path: Path) -> None:
    folder = str(tiny_policy.write(tmp_path / "p", algo="recurrent_ppo", history=True, decision_min=60))
    config = train_settings({"init_from": folder, "people": "child#003"}, None, ["seed=2"])
    assert (config.algo, config.history, config.decision_min) == ("recurrent_ppo", True, 60)
    assert (
        config.hyperparams.net_arch == (16, 8) and config.hyperparams.model_dump()["lstm_hidden_size"] == 12
    )
    assert config.people == ("child#003",) and config.seed == 2 and str(config.init_from) == folder
    config = train_settings({}, None, [f"init_from={folder}", "history=false", "net_arch=[4]"])
    assert (config.algo, config.history, config.hyperparams.net_arch) == ("recurrent_ppo", False, (4,))
    with pytest.raises(FileNotFoundError, match="no manifest.json in nowhere"):
        train_settings({"init_from": "nowhere"}, None, [])


def test_hyperparameters_of_an_unknown_algorithm_or_environment() -> None:
    with pytest.raises(ConfigError, match="did you mean 'ppo.yml'"):
        load_hyperparams("pppo")
    with pytest.raises(ConfigError, match="nor `default`"):
        load_hyperparams("ppo", "Other-v0")


def test_all_that_is_missing_is_named_in_one_line() -> None:
    with pytest.raises(
        ConfigError, match="p.yml: name, version, .*, seed are missing; they have no default$"
    ) as told:
        build(ProtocolConfig, {}, "p.yml")
    assert "\n" not in str(told.value)
    whole = load_protocol("simglucose-default").model_dump()
    del whole["pump"]
    with pytest.raises(ConfigError, match="p.yml: pump is missing; it has no default"):
        build(ProtocolConfig, whole, "p.yml")
