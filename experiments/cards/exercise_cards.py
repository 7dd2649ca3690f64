"""Cards of policies of exercise, sleep and whole persons, from their manifests; results stand in tables elsewhere."""

from collections.abc import Mapping
from typing import Any

from agents.frozen import JUDGED_BY, NOTICE, FrozenPolicy
from experiments.cards.card_results import markdown_table

_RESULTS = {
    "plan": "results/season/table.md", "session": "results/session/table.md", "sleep": "results/sleep/table.md",
    "whole": "results/whole/table.md",
}  # fmt: skip


def _trained_on(task: str, facts: Mapping[str, Any]) -> str:
    if task == "whole":
        return f"split train, {len(facts['people'])} drawn adults, couplings from the prior"
    if "model" in facts:
        return f"split train, bodies of the model {facts['model']}"
    return f"split train; {len(facts['people'])} people, none of those of the fold that it is judged on"


def exercise_card(name: str, copies: Mapping[str, FrozenPolicy]) -> str:
    """Markdown. copies: a policy's training seeds by folder."""
    said = next(iter(copies.values())).manifest
    facts = [one.manifest.trained_on for one in copies.values()]
    what = [
        ("kind", f"{said.algo}, layers {' x '.join(map(str, said.net_arch))} ({said.activation})"),
        ("copies", f"{len(copies)}: {', '.join(copies)}"),
        ("decides", f"{', '.join(said.action_names)} (task {said.task}), every {said.decision_min} min"),
        ("sees", f"{len(said.observation_names)} numbers: {', '.join(said.observation_names)}"),
        ("sees the simulator's state", "yes (oracle)" if said.oracle else "no"),
        ("environment", f"`{said.env}`, kernels `{said.kernel_hash}`"),
        ("trained on", _trained_on(said.task, facts[0])),
        ("began as", f"{facts[0].get('began_as', 'random weights')}; copies of 0 steps are that alone"),
        ("simulated person-days", ", ".join(f"{one['person_days']:,.0f}" for one in facts)),
        ("made by", "The Homeostat developers; MIT licence; cite as in CITATION.cff"),
    ]
    files = [
        [
            folder,
            str(one.train_seed),
            f"{one.manifest.trained_on['timesteps']:,}",
            f"`{one.manifest.weights_sha256}`",
        ]
        for folder, one in copies.items()
    ]
    lines = [
        f"# {name}", "", f"**{NOTICE}** Made by `python -m scripts.cards`; everything below is simulated.", "",
        "## What it is", "", *markdown_table(("", ""), what), "", "## What it is for", "",
        "For: research on learned planning in simulation, within the bounds that it was judged under.", "",
        "Not for: advice to anybody. Nothing here says how it would do outside the simulator.", "",
        "## Results", "", f"{_RESULTS.get(said.task, 'none committed')}; judged by `{JUDGED_BY[said.task]}`.", "",
        "## Files", "", *markdown_table(("copy", "seed", "steps", "SHA-256 of policy.safetensors"), files), "",
    ]  # fmt: skip
    return "\n".join(lines)
