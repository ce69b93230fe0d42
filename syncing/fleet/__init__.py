"""The fleet's lines: where each of ten thousand customers stands, kept up while nobody waits."""
