"""A clamp: insulin is held, glucose is infused so that it stays where it is, and what goes in is what insulin does.

The steady state of the equations of `twins.bodies.glucose_kernel` in closed form, so that no controller's error is in
the result.
"""

from dataclasses import dataclass

import numpy as np

from experiments.exercise.living import Array
from twins.bodies.glucose import COLUMN
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L


@dataclass(frozen=True)
class Clamped:
    """Rates (n,) in mg/kg/min: disposal, the liver's output, and the infusion that fills the gap."""

    disposal: Array
    liver: Array

    @property
    def infusion(self) -> Array:
        """Disposal that the liver does not cover."""
        rate: Array = self.disposal - self.liver
        return rate


def clamp(
    parameters: Array,
    insulin_pmol_l: Array,
    glucose_mmol_l: float,
    uptake: Array | float,
    liver: Array | float,
) -> Clamped:
    """Bodies of UVA/Padova (n, P) at rest and insulin (n,). uptake, liver: factors on insulin's action there."""
    p = {name: parameters[:, column] for name, column in COLUMN.items()}
    insulin = insulin_pmol_l
    plasma = glucose_mmol_l * GLUCOSE_MG_DL_PER_MMOL_L * p["Vg"]
    most = np.maximum(p["Vm0"] + uptake * p["Vmx"] * insulin - p["Vmx"] * p["Ib"], 0.0)
    # k1 plasma - k2 tissue = most tissue / (Km0 + tissue): a quadratic equation of tissue
    a, b, c = p["k2"], p["k2"] * p["Km0"] + most - p["k1"] * plasma, -p["k1"] * plasma * p["Km0"]
    tissue = (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a)
    used = p["Fsnc"] + most * tissue / (p["Km0"] + tissue)
    made = np.maximum(p["kp1"] - p["kp2"] * plasma - liver * p["kp3"] * insulin, 0.0)
    return Clamped(used, made)


def insulin_for(parameters: Array, glucose_mmol_l: float, liver_share: float) -> Array:
    """Insulin (n,) [pmol/L] at which the liver gives so much of what is disposed of. A clamp at people's
    insulin would not do: bodies of the table need more of it at rest."""
    low, high = np.zeros(len(parameters)), np.full(len(parameters), 1e4)
    for _ in range(60):
        middle = (low + high) / 2
        found = clamp(parameters, middle, glucose_mmol_l, 1.0, 1.0)
        above = found.liver > liver_share * found.disposal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    insulin: Array = (low + high) / 2
    return insulin
