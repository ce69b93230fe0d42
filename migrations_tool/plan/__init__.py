"""Step 0: the path, the day of the switch, and who is responsible (R-87, F-27)."""
