"""One card for each protocol: who lives through what, with which devices, and what may be claimed with it.

Everything on a card is read from the protocol and from what it names, so that a card says what the code does.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from envs.setting import DIARY
from experiments.people import judged
from experiments.protocol import ProtocolConfig, load_protocol, protocols
from experiments.results import study_tables
from experiments.results.against_committed import RESULTS, committed
from experiments.results.study_tables import Reader
from twins.draw import DRAWN
from twins.world import behaviour, devices, scenarios

INTRODUCTION = """# Protocols

Made by `python -m scripts.cards` from the protocols' files. Simulated people only. Research software, not a medical
device.

A protocol fixes whom a policy is judged on, on which days, with which devices, and when an episode has failed. Its
hash, in every `summary.json`, is that of the settings below, of recorded days that it replays, and of the simulator's
kernels; a setting changed on the command line makes an evaluation "modified", which stands beside no committed table.
"""
_GROUPS = {
    "adult": ("adult", "adults"),
    "adolescent": ("adolescent", "adolescents"),
    "child": ("child", "children"),
}
_NEVER = (
    "anything about real people, or about a dose for anybody: bodies are parameters of the UVA/Padova 2008 model",
    "differences between sexes or ethnic groups, which the simulator does not carry",
    "exercise, illness, menstruation, failing infusion sets and glucagon, none of which it has",
)


def protocols_page(results: str | Path = RESULTS, read: Reader | None = None) -> str:
    """The cards of all protocols that come with the project, as one page of Markdown."""
    read = read or cache(study_tables.read)
    cards = [protocol_card(load_protocol(name), results, read) for name in protocols()]
    return "\n".join([INTRODUCTION, *cards])


def protocol_card(
    protocol: ProtocolConfig, results: str | Path = RESULTS, read: Reader = study_tables.read
) -> str:
    """The card of one protocol, Markdown that ends with a line break. results: where committed tables lie."""
    lines = [f"## {protocol.name} (version {protocol.version})", "", protocol.description.strip(), ""]
    lines += ["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in _rows(protocol))]
    lines.append(f"| committed results | {_results(protocol.name, results, read)} |")
    lines += ["", "May be claimed with it:", "", *(f"- {one}" for one in _may(protocol))]
    lines += ["", "May not be claimed with it:", "", *(f"- {one}" for one in (*_may_not(protocol), *_NEVER))]
    return "\n".join([*lines, ""])


def _results(name: str, results: str | Path, read: Reader) -> str:
    study = committed(name, results, read)
    if study is None:
        return "none"
    return f"study {study.about['name']}, under the hash `{study.about['protocols'][name]['hash']}`"


_RULES = {
    "quest": "",
    "rule-of-500": "carb ratio 500 and correction factor 1800 by the daily insulin; ",
    "rule-of-500-and-basal": "carb ratio 500 and correction factor 1800 by the daily insulin, 48 % of it as basal; ",
}
"""What settings follow where they are not those of simglucose."""


def _rows(protocol: ProtocolConfig) -> Iterator[tuple[str, str]]:
    yield "people", _people(protocol)
    if protocol.folds:
        yield (
            "folds",
            f"{protocol.folds}: a policy of one fold has met neither its people of the table nor anybody drawn around "
            "them; drawn people have been met by nobody",
        )
    error, rule = protocol.therapy_error, _RULES[protocol.settings]
    yield (
        "therapy settings",
        f"{rule}basal rate, carb ratio and correction factor each wrong by up to {_pct(error)}"
        if error
        else f"{rule}exact",
    )
    if protocol.legacy_gut:
        yield "stomach", "with the error that simglucose had before 0.2.3"
    yield "meals", _meals(protocol)
    yield "habits", "; ".join(_habits(protocol))
    heard = {"exact": "every meal, exactly", "behaviour": "what the habits let it hear", "none": "nothing"}
    yield "the therapy hears of meals", heard[protocol.announce]
    sensor = devices.adapted(protocol.sensor, protocol.sample_min, protocol.sensor_range_mg_dl)
    pump = devices.pump(protocol.pump)
    yield (
        "sensor",
        f"{protocol.sensor}, with its error, every {protocol.sample_min} min, {sensor.lowest_mg_dl:g} to "
        f"{sensor.highest_mg_dl:g} mg/dL",
    )
    yield "faults of the sensor", "; ".join(_faults(protocol)) or "none"
    yield (
        "pump",
        f"{protocol.pump}: basal in steps of {pump.basal_step_u_per_h:g} U/h up to {pump.max_basal_u_per_h:g}, boluses "
        f"in steps of {pump.bolus_step_u:g} U up to {pump.max_bolus_u:g}",
    )
    warmup = (
        f" after {protocol.warmup_days:g} of warm-up, which is not scored" if protocol.warmup_days else ""
    )
    episodes = "1 episode" if protocol.replicas == 1 else f"{protocol.replicas} episodes"
    yield "days", f"{protocol.days:g} an episode{warmup}; {episodes} a person, from 00:00"
    yield "seed", f"{protocol.seed}, split {protocol.split}: no day of training or validation is among them"
    yield (
        "failure",
        f"plasma glucose below {protocol.glucose_failure_low_mg_dl:g} or above "
        f"{protocol.glucose_failure_high_mg_dl:g} mg/dL ends the episode; the rest of its planned time counts as out "
        "of range on that side",
    )
    yield "scored on", f"{protocol.primary} glucose (the body's own); that of the sensor in columns apart"
    yield "hash of the settings", f"`{protocol.hash('')}`"
    yield "command", f"`python -m scripts.evaluate --agent NAME --protocol {protocol.name} --out DIR`"


def _people(protocol: ProtocolConfig) -> str:
    cohort = judged(protocol)
    groups = [cohort.group(row) for row in range(len(cohort))]
    counted = {group: groups.count(group) for group in _GROUPS if group in groups}
    parts = [f"{count} {_GROUPS[group][count > 1]}" for group, count in counted.items()]
    drawn = sum(DRAWN in person for person in cohort.ids)
    around = f"; {drawn} of them drawn around simglucose's 30" if drawn else " of simglucose's 30"
    weights = sorted({f"{cohort.weight_kg.min():.0f}", f"{cohort.weight_kg.max():.0f}"}, key=float)
    return f"{len(cohort)}: {', '.join(parts)}{around}; {' to '.join(weights)} kg"


def _meals(protocol: ProtocolConfig) -> str:
    if protocol.scenario.startswith(DIARY):
        return f"recorded: `{protocol.scenario}`, complete days in their order"
    return scenarios.named(protocol.scenario).description


def _pct(share: float) -> str:
    return f"{100 * share:.0f} %"


def _habits(protocol: ProtocolConfig) -> Iterator[str]:
    habits = behaviour.named(protocol.behaviour)
    factor = protocol.carb_count_factor or habits.carb_count_factor
    if habits.carb_bias_sd or habits.carb_error_sd or factor != 1:
        yield (
            f"carbs counted times {factor:g}, with a bias of the person (SD {_pct(habits.carb_bias_sd)}) and an error "
            f"at each meal (SD {_pct(habits.carb_error_sd)})"
        )
    else:
        yield "carbs counted exactly"
    if habits.missed or habits.late:
        first, last = habits.late_min
        yield (
            f"{_pct(habits.missed)} of meals never announced, {_pct(habits.late)} late by {first:g} to {last:g} min, "
            f"snacks under {habits.unlogged_below_g:g} g not at all"
        )
    if habits.sensitivity_day_sd or habits.sensitivity_hour_sd:
        yield (
            f"insulin sensitivity moves from day to day (SD {_pct(habits.sensitivity_day_sd)}) and through the day "
            f"(amplitude {_pct(habits.sensitivity_hour_sd)})"
        )
    else:
        yield "insulin sensitivity constant"
    factors = protocol.sensitivity_factors or habits.sensitivity_factors
    if set(factors) != {1.0}:
        yield f"sensitivity times {', '.join(format(one, 'g') for one in factors)} in successive episodes"
    if habits.treats_lows_day or habits.treats_lows_night:
        yield (
            f"lows treated with {habits.rescue_g:g} g of carbs: in each quarter of an hour below 70 mg/dL with "
            f"probability {habits.treats_lows_day:g} by day, {habits.treats_lows_night:g} by night"
        )
    else:
        yield "nobody treats lows"


def _faults(protocol: ProtocolConfig) -> Iterator[str]:
    if protocol.cgm_bias_mg_dl:
        yield f"{protocol.cgm_bias_mg_dl:+g} mg/dL on every reading"
    if protocol.cgm_missing:
        yield f"{_pct(protocol.cgm_missing)} of readings lost, in gaps of an hour"
    if protocol.compression_lows_per_night:
        yield f"a compression low in {_pct(protocol.compression_lows_per_night)} of nights"


def _may(protocol: ProtocolConfig) -> Iterator[str]:
    if protocol.folds:
        yield (
            "how a method of training does on virtual bodies that its policies have not met, over other trainings and "
            "other bodies of the same sampler"
        )
    elif len(judged(protocol)) > 1:
        yield "how policies do on these bodies on days that nobody trained on"
    else:
        yield "how policies do on this one body under these meals"
    yield "differences between agents that were judged on the same people and days, failures first"
    if protocol.behaviour.endswith("untreated") or protocol.behaviour == "exact":
        yield "how low an agent lets glucose fall when nobody eats against it"


def _may_not(protocol: ProtocolConfig) -> Iterator[str]:
    if not protocol.folds:
        yield "anything about other bodies: policies may have been trained on these, on other days"
    habits = behaviour.named(protocol.behaviour)
    if protocol.announce == "exact" or not (habits.missed or habits.carb_error_sd):
        yield "everyday life: meals are announced as they are, which makes time in range optimistic"
    if protocol.scenario.startswith(DIARY):
        yield "the glucose of the person whose meals are replayed: the glucose is the virtual body's"
    if protocol.days < 14:
        yield "two weeks, the least that the consensus on glucose metrics would report for a person"
