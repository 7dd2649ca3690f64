"""Make the diary that comes with the project, for demonstrations and tests without a real person's data.

    python -m twins.world.simulate_diary [FILE]

One drawn virtual adult lives 14 days on basal-bolus therapy with realistic habits: carbs are miscounted,
some meals go unannounced, insulin sensitivity varies, lows are treated. As in a real diary the carbs
are those that the person logged; what was eaten and not logged shows in the glucose only.
"""

import argparse
from datetime import datetime

import numpy as np

from twins import cohort, random
from twins.bodies.model import NEUTRAL_DRIVE
from twins.draw import draw
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world import devices, scenarios
from twins.world.behaviour import REALISTIC
from twins.world.diary import STEP_MIN, Diary
from twins.world.formats.plain import write_csv
from twins.world.readers import SIMULATED_DIARY

DAYS = 14
COHORT_SEED, DAYS_SEED = 7, 0
START = datetime(2024, 1, 1)
COMMENT = "simulated: a virtual adult, no real person; made by python -m twins.world.simulate_diary"


def simulate_diary(days: int = DAYS, cohort_seed: int = COHORT_SEED, days_seed: int = DAYS_SEED) -> Diary:
    """The diary of the first adult drawn with `cohort_seed`, on the days of `days_seed`; always the same."""
    person = draw(cohort.load("adult"), 1, cohort_seed)
    model, therapy = person.model, person.therapy[0]
    keys = random.keys("train", days_seed, person.numbers, 0, 0)
    world = scenarios.RandomMeals(REALISTIC, scale_by_weight=True).events(keys, person.weight_kg, days)
    events = (world.eat_minute, world.eat_g, world.tell_minute, world.tell_g, world.sensitivity)
    of_sensor, of_treatment = random.stream(keys, Stream.SENSOR), random.stream(keys, Stream.TREATMENT)
    treats = (REALISTIC.treats_lows_day, REALISTIC.treats_lows_night, REALISTIC.rescue_g)
    sensor, bolus_step_u = devices.sensor("GuardianRT"), devices.pump("Insulet").bolus_step_u

    state, coefficients = model.basal_state(person.parameters), model.prepare(person.parameters)
    basal, bolus = np.round(therapy[[cohort.BASAL_U_PER_H]], 3), np.zeros(1)
    told, rescue = np.zeros(1), np.zeros(1)
    plate, drive, cursor = np.zeros((1, STEP_MIN)), np.array([[NEUTRAL_DRIVE]]), np.zeros((1, 2), np.int64)
    sensor_state, noise = np.zeros((1, devices.SENSOR_STATE_COLUMNS)), np.zeros((1, sensor.samples))
    plasma, cgm = therapy[[cohort.TARGET_MG_DL]], np.zeros(1)
    spline, limits = sensor.spline(), (sensor.lowest_mg_dl, sensor.highest_mg_dl, sensor.noise)
    recorded = np.zeros((days * MINUTES_PER_DAY // STEP_MIN, 3))  # glucose, carbs, bolus
    for step, record in enumerate(recorded):
        interstitial = model.interstitial_mg_dl(state, person.parameters)
        devices.measure(of_sensor, interstitial, sensor_state, noise, spline, sensor.shape, *limits, cgm)
        now = np.array([step * STEP_MIN])
        scenarios.serve(now, *events, cursor, of_treatment, plasma, treats, plate, told, rescue, drive)
        record[:] = np.round(cgm[0]), np.round(told[0]), 0.0
        if told[0] > 0:
            dose = record[1] / therapy[cohort.CARB_RATIO_G_PER_U]
            if record[0] > therapy[cohort.CORRECT_ABOVE_MG_DL]:
                above = record[0] - therapy[cohort.TARGET_MG_DL]
                dose += above / therapy[cohort.CORRECTION_FACTOR_MG_DL_PER_U]
            record[2] = np.round(np.round(dose / bolus_step_u) * bolus_step_u, 2)
        bolus[0] = record[2]
        plasma = model.advance(state, coefficients, basal, bolus, plate, drive, STEP_MIN)[:, -1]
    glucose, carbs, boluses = recorded.T
    return Diary("simulated adult", START, glucose, carbs, boluses, np.full(len(recorded), basal[0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the simulated diary that comes with the project.")
    parser.add_argument("file", nargs="?", default=SIMULATED_DIARY, help="by default the shipped file")
    write_csv(simulate_diary(), parser.parse_args().file, COMMENT)
