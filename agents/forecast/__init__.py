"""Forecasts of glucose up to an hour ahead, of lows within the hour, and of lows in the night to come."""
