"""Events of an episode as they come due: food onto the plate, announcements to the therapy, lows that are treated."""

from twins.kernels import kernel
from twins.random import pair

LOW_MG_DL = 70.0
NIGHT_ENDS_MIN = 360
TREAT_EVERY_MIN = 15


@kernel
def serve(  # type: ignore[no-untyped-def]
    minute,
    eat_minute,
    eat_g,
    tell_minute,
    tell_g,
    sensitivity,
    cursor,
    keys,
    glucose_mg_dl,
    treats,
    plate,
    told,
    rescue,
    drive,
):
    """What happens in the next interval of each lane; the arrays from `plate` on are filled.

    minute (n,) is now; cursor (n, 2) counts the events used. plate (n, M) gets the grams put on the
    plate each minute, told (n,) the grams announced by now, rescue (n,) the fast carbs taken against
    a low, drive (n, 1, 4) the insulin sensitivity of the hour. treats = (by day, by night, grams).
    """
    by_day, by_night, grams = treats
    length = plate.shape[1]
    for lane in range(len(minute)):
        now = minute[lane]
        plate[lane, :] = 0.0
        told[lane] = 0.0
        rescue[lane] = 0.0
        at = cursor[lane, 0]
        while at < eat_minute.shape[1] and eat_minute[lane, at] < now + length:
            plate[lane, max(int(eat_minute[lane, at]) - now, 0)] += eat_g[lane, at]
            at += 1
        cursor[lane, 0] = at
        at = cursor[lane, 1]
        while at < tell_minute.shape[1] and tell_minute[lane, at] <= now:
            told[lane] += tell_g[lane, at]
            at += 1
        cursor[lane, 1] = at
        notices = by_night if now % 1440 < NIGHT_ENDS_MIN else by_day
        if notices > 0.0 and glucose_mg_dl[lane] < LOW_MG_DL and now % TREAT_EVERY_MIN < length:
            chance, _ = pair(keys[lane], now // TREAT_EVERY_MIN)
            if chance < notices:
                rescue[lane] = grams
                plate[lane, 0] += grams
        hour = min(now // 60, sensitivity.shape[1] - 1)
        drive[lane, 0, 0] = sensitivity[lane, hour]
        drive[lane, 0, 1] = sensitivity[lane, hour]
