"""The compiled kernel of the glucose twin.

How a minute is integrated:
- insulin (7 states) is linear for a constant input: its matrix exponential is exact;
- gut (3 states): the emptying rate sweeps its range within an eating minute, so it is held over
  `GUT_STEPS` short steps at its value in their middle; what flows between the compartments is then
  linear and solved so that no carbohydrate is lost;
- glucose (3 states) takes one Runge-Kutta step (RK4); the insulin action at mid-step is exact, and what
  the gut gives in the minute is exactly what was absorbed.

Lanes are worked in blocks of `LANES` with the lane loop innermost and of constant length, which is
what the compiler needs in order to vectorise. No branch looks at a neighbour and short batches are
padded, so a person's numbers do not depend on company, bit for bit.
"""

import numpy as np

from twins.bodies.model import LIVER_OUTPUT, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.kernels import inlined, kernel

LANES = 16
EATING_RATE_G_PER_MIN = 5.0
GUT_STEPS = 8  # a minute; 4, 6, 8, 10 err by at most 0.08, 0.03, 0.016, 0.01 mg/dL over 48 h

STATES = (
    "stomach_solid_mg",
    "stomach_liquid_mg",
    "intestine_mg",
    "glucose_plasma_mg_per_kg",
    "glucose_tissue_mg_per_kg",
    "insulin_plasma_pmol_per_kg",
    "insulin_action_pmol_per_l",
    "insulin_delay_1_pmol_per_l",
    "insulin_delay_2_pmol_per_l",
    "insulin_liver_pmol_per_kg",
    "insulin_subcutaneous_1_pmol_per_kg",
    "insulin_subcutaneous_2_pmol_per_kg",
    "glucose_subcutaneous_mg_per_kg",
    "plate_g",
    "meal_eaten_g",
    "stomach_before_meal_mg",
    "eating",
)
(
    STOMACH_SOLID,
    STOMACH_LIQUID,
    INTESTINE,
    GLUCOSE_PLASMA,
    GLUCOSE_TISSUE,
    INSULIN_PLASMA,
    INSULIN_ACTION,
    INSULIN_DELAY_1,
    INSULIN_DELAY_2,
    INSULIN_LIVER,
    INSULIN_SC_1,
    INSULIN_SC_2,
    GLUCOSE_SUBCUTANEOUS,
    PLATE,
    MEAL_EATEN,
    STOMACH_BEFORE_MEAL,
    EATING,
) = range(17)
PHYSIOLOGICAL_STATES = 13

PLAIN_COEFFICIENTS = {
    name: column
    for column, name in enumerate(
        (
            "kmax", "kmin", "kabs", "b", "d", "k1", "k2", "kp1", "kp2", "kp3", "Fsnc", "ke1", "ke2", "Vm0",
            "Vmx", "Km0", "Ib", "ksc", "Vg",
        )  # fmt: skip
    )
}
(
    C_KMAX, C_KMIN, C_KABS, C_B, C_D, C_K1, C_K2, C_KP1, C_KP2, C_KP3, C_FSNC, C_KE1, C_KE2, C_VM0,
    C_VMX, C_KM0, C_IB, C_KSC, C_VG,
    C_RATE_OF_APPEARANCE, C_DOSE, C_SOLID_HALF_STEP, C_GUT_STEP, C_GUT_INFLOW, C_STEEP_EMPTY, C_STEEP_FULL,
    C_WHOLE,
) = range(27)  # fmt: skip
C_HALF = C_WHOLE + 35
COEFFICIENTS = C_HALF + 14

# Rows of a block's work array: states, inputs, intermediate values, then the coefficients. One array
# with constant row numbers lets the compiler see that rows never overlap.
(
    DOSE, PLATE_IN, DRIVE_PERIPHERAL, DRIVE_HEPATIC, DRIVE_UPTAKE, DRIVE_LIVER,
    REFERENCE, PER_REFERENCE, EATEN, EMPTYING, CARBS, GUT_0, GUT_1, GUT_2,
    ACTION_0, ACTION_1, ACTION_2, HEPATIC_0, HEPATIC_1, HEPATIC_2, STEADY, SOLID_END, STEEP_U, STEEP_V,
) = range(17, 41)  # fmt: skip
C0 = 41
ROWS = C0 + COEFFICIENTS
W0, H0 = C0 + C_WHOLE, C0 + C_HALF


@inlined
def _exp(z):  # type: ignore[no-untyped-def]
    """e^z for -40 <= z <= 40, held beyond: a Taylor polynomial of z/32, squared five times. Its relative
    error is below 2e-10 for |z| <= 7 and grows to 3e-3 at -40, where nothing hangs on it: e^z / (1 + e^z)
    is right to 1e-11 everywhere.

    A call of the C library's exp would stop the compiler from vectorising the lane loop.
    """
    z = 40.0 if z > 40.0 else z
    z = -40.0 if z < -40.0 else z
    x = z * 0.03125
    e = 1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6 + x * (1.0 / 24 + x * (1.0 / 120 + x * (1.0 / 720 + x * (
        1.0 / 5040 + x * (1.0 / 40320))))))))  # fmt: skip
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


@inlined
def _before_emptying(w, i, stomach):  # type: ignore[no-untyped-def]
    """What the rate of emptying needs the exponentials of, with this much in the stomach [mg]."""
    share = stomach * w[PER_REFERENCE, i]
    w[STEEP_U, i] = w[C0 + C_STEEP_EMPTY, i] * (share - w[C0 + C_B, i])
    w[STEEP_V, i] = w[C0 + C_STEEP_FULL, i] * (share - w[C0 + C_D, i])


@inlined
def _emptying(w):  # type: ignore[no-untyped-def]
    """Rate of gastric emptying [1/min]; kmax before any meal.

    tanh u - tanh v = 2 (U - V) / ((1 + U) (1 + V)) with U = e^2u, V = e^2v. The exponentials have a loop of their own:
    a lane's are one long chain, and the short loop lets the processor work at those of several lanes at once.
    """
    for j in (STEEP_U, STEEP_V):
        for i in range(LANES):
            w[j, i] = _exp(w[j, i])
    for i in range(LANES):
        u, v = w[STEEP_U, i], w[STEEP_V, i]
        kmin, kmax = w[C0 + C_KMIN, i], w[C0 + C_KMAX, i]
        rate = kmin + (kmax - kmin) * (1.0 + (u - v) / ((1.0 + u) * (1.0 + v)))
        w[EMPTYING, i] = rate if w[REFERENCE, i] > 0.0 else kmax


@inlined
def eat(w, mg_per_g):  # type: ignore[no-untyped-def]
    """A minute's food from the plate to the mouth."""
    for i in range(LANES):
        plate = w[PLATE, i] + w[PLATE_IN, i]
        eaten = EATING_RATE_G_PER_MIN if plate > EATING_RATE_G_PER_MIN else plate
        w[PLATE, i] = plate - eaten
        starts = eaten > 0.0 and w[EATING, i] == 0.0
        stomach = w[STOMACH_SOLID, i] + w[STOMACH_LIQUID, i]
        w[STOMACH_BEFORE_MEAL, i] = stomach if starts else w[STOMACH_BEFORE_MEAL, i]
        w[MEAL_EATEN, i] = eaten if starts else w[MEAL_EATEN, i] + eaten
        w[EATING, i] = 1.0 if eaten > 0.0 else 0.0
        w[REFERENCE, i] = w[STOMACH_BEFORE_MEAL, i] + w[MEAL_EATEN, i] * mg_per_g
        # below 1e-100 mg the reciprocal could overflow
        w[PER_REFERENCE, i] = 1.0 / (w[REFERENCE, i] if w[REFERENCE, i] > 1e-100 else 1.0)
        w[EATEN, i] = 1000.0 * eaten
        w[STEADY, i] = w[EATEN, i] / w[C0 + C_KMAX, i]


@inlined
def begin_emptying(w):  # type: ignore[no-untyped-def]
    """The rate of gastric emptying at the beginning of a minute, after `eat`."""
    for i in range(LANES):
        _before_emptying(w, i, w[STOMACH_SOLID, i] + w[STOMACH_LIQUID, i])
    _emptying(w)


@inlined
def gut_step(w, steps):  # type: ignore[no-untyped-def]
    """One of `steps` short steps of a minute, with the emptying rate of its middle; conserves carbohydrate."""
    for i in range(LANES):
        kmax, decay = w[C0 + C_KMAX, i], w[C0 + C_SOLID_HALF_STEP, i]
        solid, liquid, steady = w[STOMACH_SOLID, i], w[STOMACH_LIQUID, i], w[STEADY, i]
        solid_mid = steady + (solid - steady) * decay
        w[SOLID_END, i] = steady + (solid_mid - steady) * decay
        liquid_mid = liquid + (0.5 / steps) * (kmax * (0.5 * (solid + solid_mid)) - w[EMPTYING, i] * liquid)
        _before_emptying(w, i, solid_mid + liquid_mid)
    _emptying(w)
    for i in range(LANES):
        solid, liquid, solid_end = w[STOMACH_SOLID, i], w[STOMACH_LIQUID, i], w[SOLID_END, i]
        x = w[EMPTYING, i] * (1.0 / steps)
        ground = w[EATEN, i] * (1.0 / steps) + (solid - solid_end)
        liquid_end = liquid + (ground - x * liquid) * (1.0 - x * (0.5 - x * (1.0 / 6)))
        emptied = ground + (liquid - liquid_end)
        w[INTESTINE, i] = w[C0 + C_GUT_STEP, i] * w[INTESTINE, i] + w[C0 + C_GUT_INFLOW, i] * emptied
        w[STOMACH_SOLID, i], w[STOMACH_LIQUID, i] = solid_end, liquid_end


@inlined
def absorbed(w, i, minutes):  # type: ignore[no-untyped-def]
    """The middle value of the intestine that makes Simpson's rule give what was absorbed within `minutes`."""
    taken = w[CARBS, i] - (w[STOMACH_SOLID, i] + w[STOMACH_LIQUID, i] + w[INTESTINE, i])
    w[GUT_2, i] = w[INTESTINE, i]
    w[GUT_1, i] = 1.5 * (taken / (w[C0 + C_KABS, i] * minutes)) - 0.25 * (w[GUT_0, i] + w[GUT_2, i])


@inlined
def terms(w, i, delayed, gut, action, m_p, m_h):  # type: ignore[no-untyped-def]
    """Parts of the glucose balance that depend on time alone: liver output before its glucose term,
    appearance less the brain's use, and the maximal rate of insulin-dependent use.

    The sensitivity multipliers act on total insulin action (X + Ib), not on the deviation X. A
    multiplier may not push the use below zero or, where the plain model itself is below, lower still.
    """
    liver = w[C0 + C_KP1, i] - w[C0 + C_KP3, i] * delayed - m_h * (w[C0 + C_KP3, i] * delayed)
    plain = w[C0 + C_VM0, i] + w[C0 + C_VMX, i] * action
    floor = plain if plain < 0.0 else 0.0
    use = plain + m_p * (w[C0 + C_VMX, i] * (action + w[C0 + C_IB, i]))
    appearance = w[C0 + C_RATE_OF_APPEARANCE, i] * gut
    return liver, appearance - w[C0 + C_FSNC, i], use if use > floor else floor


@inlined
def glucose_slope(g, t, liver, gut, use, kp2, ke1, ke2, k1, k2, km, uptake, extra):  # type: ignore[no-untyped-def]
    """Time derivatives of plasma and tissue glucose [mg/kg/min]; amounts below zero stay where they are."""
    made = liver - kp2 * g
    made = made if made > 0.0 else 0.0
    lost = ke1 * (g - ke2) if g > ke2 else 0.0
    dg = made + extra + gut - lost - k1 * g + k2 * t
    dt = k1 * g - k2 * t - use * t / (km + t) - uptake * t
    return dg if g >= 0.0 else 0.0, dt if t >= 0.0 else 0.0


@inlined
def _sensor_slope(z, g, ksc):  # type: ignore[no-untyped-def]
    slope = ksc * (g - z)
    return slope if z >= 0.0 else 0.0


@kernel
def advance(  # type: ignore[no-untyped-def]
    state, coefficients, basal_u_per_h, bolus_u, carbs_g, drive, legacy_gut, glucose
):
    """Advance `state` (n, 17) in place over `glucose.shape[1]` minutes; `glucose` (n, minutes) is filled.

    coefficients (blocks, C, LANES) come from `UvaPadova.prepare`; basal_u_per_h and bolus_u (n,);
    carbs_g (n, minutes); drive (n, 1 or minutes, 4).
    """
    n, minutes = glucose.shape
    mg_per_g = 1.0 if legacy_gut else 1000.0
    w = np.empty((ROWS, LANES))
    for block in range(coefficients.shape[0]):
        first = block * LANES
        for j in range(COEFFICIENTS):
            for i in range(LANES):
                w[C0 + j, i] = coefficients[block, j, i]
        for i in range(LANES):
            lane = min(first + i, n - 1)
            for j in range(len(STATES)):
                w[j, i] = state[lane, j]
            w[DOSE, i] = (basal_u_per_h[lane] / 60.0 + bolus_u[lane] / minutes) * w[C0 + C_DOSE, i]
        for minute in range(minutes):
            for i in range(LANES):
                w[PLATE_IN, i] = carbs_g[min(first + i, n - 1), minute]
            if minute < drive.shape[1]:  # else the value of the first minute is held
                for i in range(LANES):
                    lane = min(first + i, n - 1)
                    w[DRIVE_PERIPHERAL, i] = drive[lane, minute, SENSITIVITY_PERIPHERAL]
                    w[DRIVE_HEPATIC, i] = drive[lane, minute, SENSITIVITY_HEPATIC]
                    w[DRIVE_UPTAKE, i] = drive[lane, minute, UPTAKE]
                    w[DRIVE_LIVER, i] = drive[lane, minute, LIVER_OUTPUT]

            # --- what is eaten this minute ---------------------------------------------------------
            eat(w, mg_per_g)
            begin_emptying(w)
            for i in range(LANES):
                w[CARBS, i] = w[EATEN, i] + (w[STOMACH_SOLID, i] + w[STOMACH_LIQUID, i] + w[INTESTINE, i])
                w[GUT_0, i] = w[INTESTINE, i]

            # --- stomach and intestine ---------------------------------------------------------------
            for _ in range(GUT_STEPS):
                gut_step(w, GUT_STEPS)
            for i in range(LANES):
                absorbed(w, i, 1.0)

            # --- insulin: exact ----------------------------------------------------------------------
            for i in range(LANES):
                ip, il, u = w[INSULIN_PLASMA, i], w[INSULIN_LIVER, i], w[DOSE, i]
                s1, s2 = w[INSULIN_SC_1, i], w[INSULIN_SC_2, i]
                x, d1, d2 = w[INSULIN_ACTION, i], w[INSULIN_DELAY_1, i], w[INSULIN_DELAY_2, i]
                w[ACTION_0, i] = x
                w[HEPATIC_0, i] = d2
                w[ACTION_1, i] = (
                    w[H0 + 0, i] * x + w[H0 + 1, i] * ip + w[H0 + 2, i] * il + w[H0 + 3, i] * s1
                    + w[H0 + 4, i] * s2 + w[H0 + 5, i] * u + w[H0 + 6, i]
                )  # fmt: skip
                w[HEPATIC_1, i] = (
                    w[H0 + 7, i] * d2 + w[H0 + 8, i] * d1 + w[H0 + 9, i] * ip + w[H0 + 10, i] * il
                    + w[H0 + 11, i] * s1 + w[H0 + 12, i] * s2 + w[H0 + 13, i] * u
                )  # fmt: skip
                w[ACTION_2, i] = (
                    w[W0 + 15, i] * x + w[W0 + 16, i] * ip + w[W0 + 17, i] * il + w[W0 + 18, i] * s1
                    + w[W0 + 19, i] * s2 + w[W0 + 20, i] * u + w[W0 + 21, i]
                )  # fmt: skip
                w[HEPATIC_2, i] = (
                    w[W0 + 28, i] * d2 + w[W0 + 29, i] * d1 + w[W0 + 30, i] * ip + w[W0 + 31, i] * il
                    + w[W0 + 32, i] * s1 + w[W0 + 33, i] * s2 + w[W0 + 34, i] * u
                )  # fmt: skip
                w[INSULIN_ACTION, i] = w[ACTION_2, i]
                w[INSULIN_DELAY_2, i] = w[HEPATIC_2, i]
                w[INSULIN_DELAY_1, i] = (
                    w[W0 + 22, i] * d1 + w[W0 + 23, i] * ip + w[W0 + 24, i] * il + w[W0 + 25, i] * s1
                    + w[W0 + 26, i] * s2 + w[W0 + 27, i] * u
                )  # fmt: skip
                w[INSULIN_SC_1, i] = w[W0 + 0, i] * s1 + w[W0 + 1, i] * u
                w[INSULIN_SC_2, i] = w[W0 + 2, i] * s1 + w[W0 + 3, i] * s2 + w[W0 + 4, i] * u
                w[INSULIN_PLASMA, i] = (
                    w[W0 + 5, i] * ip + w[W0 + 6, i] * il + w[W0 + 7, i] * s1 + w[W0 + 8, i] * s2
                    + w[W0 + 9, i] * u
                )  # fmt: skip
                w[INSULIN_LIVER, i] = (
                    w[W0 + 10, i] * ip + w[W0 + 11, i] * il + w[W0 + 12, i] * s1 + w[W0 + 13, i] * s2
                    + w[W0 + 14, i] * u
                )  # fmt: skip

            # --- glucose: one RK4 step ---------------------------------------------------------------
            for i in range(LANES):
                g0, t0, z0 = w[GLUCOSE_PLASMA, i], w[GLUCOSE_TISSUE, i], w[GLUCOSE_SUBCUTANEOUS, i]
                k1, k2, km, ksc = w[C0 + C_K1, i], w[C0 + C_K2, i], w[C0 + C_KM0, i], w[C0 + C_KSC, i]
                m_p = w[DRIVE_PERIPHERAL, i] - 1.0
                m_h = w[DRIVE_HEPATIC, i] - 1.0
                uptake = w[DRIVE_UPTAKE, i]
                liver_0, gut_0, use_0 = terms(w, i, w[HEPATIC_0, i], w[GUT_0, i], w[ACTION_0, i], m_p, m_h)
                liver_1, gut_1, use_1 = terms(w, i, w[HEPATIC_1, i], w[GUT_1, i], w[ACTION_1, i], m_p, m_h)
                liver_2, gut_2, use_2 = terms(w, i, w[HEPATIC_2, i], w[GUT_2, i], w[ACTION_2, i], m_p, m_h)
                extra = w[DRIVE_LIVER, i]
                kp2, ke1, ke2 = w[C0 + C_KP2, i], w[C0 + C_KE1, i], w[C0 + C_KE2, i]
                ga, ta = glucose_slope(
                    g0, t0, liver_0, gut_0, use_0, kp2, ke1, ke2, k1, k2, km, uptake, extra
                )
                za = _sensor_slope(z0, g0, ksc)
                g, t, z = g0 + 0.5 * ga, t0 + 0.5 * ta, z0 + 0.5 * za
                gb, tb = glucose_slope(g, t, liver_1, gut_1, use_1, kp2, ke1, ke2, k1, k2, km, uptake, extra)
                zb = _sensor_slope(z, g, ksc)
                g, t, z = g0 + 0.5 * gb, t0 + 0.5 * tb, z0 + 0.5 * zb
                gc, tc = glucose_slope(g, t, liver_1, gut_1, use_1, kp2, ke1, ke2, k1, k2, km, uptake, extra)
                zc = _sensor_slope(z, g, ksc)
                g, t, z = g0 + gc, t0 + tc, z0 + zc
                gd, td = glucose_slope(g, t, liver_2, gut_2, use_2, kp2, ke1, ke2, k1, k2, km, uptake, extra)
                zd = _sensor_slope(z, g, ksc)
                w[GLUCOSE_PLASMA, i] = g0 + (ga + 2.0 * gb + 2.0 * gc + gd) / 6.0
                w[GLUCOSE_TISSUE, i] = t0 + (ta + 2.0 * tb + 2.0 * tc + td) / 6.0
                w[GLUCOSE_SUBCUTANEOUS, i] = z0 + (za + 2.0 * zb + 2.0 * zc + zd) / 6.0

            for i in range(min(LANES, n - first)):
                glucose[first + i, minute] = w[GLUCOSE_PLASMA, i] / w[C0 + C_VG, i]
        for i in range(min(LANES, n - first)):
            for j in range(len(STATES)):
                state[first + i, j] = w[j, i]
