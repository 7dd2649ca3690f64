"""What the future of a core's lanes hangs on, as arrays by name: taken, checked and put back, bit for bit.

core: an `envs.core.Core`, which knows this file, so that this file cannot name it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.inference.filter import Filter
from twins.world.devices import SAMPLE

EVENTS = ("eat_minute", "eat_g", "tell_minute", "tell_g")
LANES = (
    "rows", "people", "keys", "begin", "minute", "state", "glucose", *EVENTS, "sensitivity", "cursor", "sensor_state",
    "noise", "carry", "plate", "told", "rescue", "drive", "fault_memory",
)  # fmt: skip
_FINITE = (
    "state", "glucose", "sensitivity", "sensor_state", "noise", "carry", "plate", "told", "rescue", "drive",
    "belief.state", "belief.log_weight",
)  # fmt: skip
BOUT = "bout."
"""Before names of what people do beside insulin and food."""
VIEW = ("now", "cgm_buffer", "insulin_buffer", "position", "hourly")


def take(core: Any) -> dict[str, NDArray[Any]]:
    """Copies of it."""
    saved = {name: getattr(core, name).copy() for name in LANES}
    saved |= {f"view.{name}": getattr(core.view, name).copy() for name in VIEW}
    if core._filter is not None:
        saved |= {f"belief.{name}": array for name, array in core._filter.save().items()}
    if core.conduct is not None:
        saved |= {f"{BOUT}{name}": array.copy() for name, array in core.conduct.held().items()}
    return saved


def put(core: Any, saved: Mapping[str, NDArray[Any]]) -> None:
    """Back into a core whose persons are seated; `saved` has passed `check`."""
    for name in LANES:
        if name in EVENTS:
            setattr(core, name, saved[name].copy())
        else:
            getattr(core, name)[...] = saved[name]
    for name in VIEW:
        getattr(core.view, name)[...] = saved[f"view.{name}"]
    if core._filter is not None:
        core._filter.restore({name: saved[f"belief.{name}"] for name in core._filter.saved})
    if core.conduct is not None:
        core.conduct.restore({name: saved[f"{BOUT}{name}"] for name in core.conduct.held()}, core.keys)


def check(core: Any, saved: Mapping[str, NDArray[Any]]) -> None:
    """Raise ValueError unless `saved` can be the state of these lanes; kernels check no index, so this does."""
    names = {*LANES, *(f"view.{name}" for name in VIEW)}
    if core.setting.shield == "twin" and not core.setting.oracle:
        guard, states = core.setting.guard, core.state.shape[1]
        shapes = Filter.shapes(core.lanes, guard.trusting, guard.shares, core.control_min, states)
        names |= set(shapes)
    else:
        shapes = {}
    bout = {} if core.conduct is None else core.conduct.held()
    names |= {f"{BOUT}{name}" for name in bout}
    if set(saved) != names or saved["rows"].shape != (core.lanes,):
        odd = ", ".join(sorted(names.symmetric_difference(saved))) or f"{len(saved['rows'])} lanes"
        raise ValueError(
            f"saved state does not fit {core.lanes} lanes of this setting ({odd}); save and restore must agree"
        )
    rows = saved["rows"]
    if (
        rows.dtype != core.rows.dtype
        or not core._known(rows)
        or not np.array_equal(saved["people"], core.setting.cohort.numbers[rows])
    ):
        raise ValueError("saved rows are not people of this setting; restore with the cohort of the save")
    empty = core._empty_view(rows)
    held = {name: getattr(core, name) for name in LANES}
    held |= {f"view.{name}": getattr(empty, name) for name in VIEW}
    held |= {name: np.empty(shape) for name, shape in shapes.items()}
    held |= {f"{BOUT}{name}": array for name, array in bout.items()}
    for name in EVENTS:  # of any width, but times and amounts alike
        held[name] = np.empty((core.lanes, *saved[f"{name.split('_')[0]}_minute"].shape[1:2]))
    for name, array in held.items():
        new = saved[name]
        if new.dtype != array.dtype or new.shape != array.shape:
            raise ValueError(f"saved {name} is {new.dtype}{new.shape}, needed is {array.dtype}{array.shape}")
        if (name in _FINITE or name.startswith(BOUT)) and not np.isfinite(new).all():
            raise ValueError(f"saved {name} holds values that are not finite; use an older save")
    if bout and (odd := core.conduct.fault_in({name: saved[f"{BOUT}{name}"] for name in bout})):
        raise ValueError(f"saved {BOUT}{odd} holds what cannot be; use an older save")
    ends = np.array([empty.cgm_buffer.shape[1] // 2, empty.insulin_buffer.shape[1] // 2])
    for name, count, end in (
        ("minute", saved["minute"], np.inf),
        ("cursor", saved["cursor"], np.inf),
        ("sensor_state", saved["sensor_state"][:, SAMPLE], core.setting.sensor.samples),
        ("view.position", saved["view.position"], ends),
    ):
        if not ((count >= 0) & (count < end)).all():
            raise ValueError(f"saved {name} points outside its table; use an older save")
