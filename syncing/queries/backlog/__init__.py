"""What the managers' page reads: how much waits, since when, for whom, and how fast it goes."""
