"""What may be claimed about forecasts: split, rivals, alarms as events, the night, the bars."""
