"""Hidden people, whose bodies no fit may see: their diaries are fitted, and the twins judged by the bodies."""
