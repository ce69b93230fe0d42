"""What is there before the switch, counted by type, entity, state and money (R-88, F-26)."""
