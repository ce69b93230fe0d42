"""Step 2: what there is before the switch, by type, entity and state, with its money."""
