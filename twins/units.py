"""Physical constants and unit conversions used across the project."""

GLUCOSE_MG_DL_PER_MMOL_L = 18.0182
"""mg/dL in one mmol/L of glucose (molar mass 180.182 g/mol)."""

INSULIN_PMOL_PER_U = 6000.0
"""pmol in one unit of insulin, the factor of the UVA/Padova model."""

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1440
