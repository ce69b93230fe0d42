"""Step 12: one object of each type goes first, and what the switch has done is looked at."""
