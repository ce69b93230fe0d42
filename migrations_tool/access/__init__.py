"""Step 1: prove that both sides can be read and written, without leaving anything behind."""
