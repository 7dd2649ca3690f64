"""Rounding as oref0 rounds: halves go up, and a pump's rates come in steps."""

import numpy as np

from twins.kernels import kernel


@kernel
def rounded(value, digits=0):  # type: ignore[no-untyped-def]
    """To so many digits after the point; halves go up (JavaScript's Math.round)."""
    scale = 10.0**digits
    return np.floor(value * scale + 0.5) / scale


@kernel
def pump_rate(rate_u_per_h):  # type: ignore[no-untyped-def]
    """A basal rate in the steps of a pump: 0.05 U/h, from 10 U/h on 0.1."""
    steps = 20.0 if rate_u_per_h < 10.0 else 10.0
    return np.floor(rate_u_per_h * steps + 0.5) / steps
