"""Step 13: watch more closely until the targets have held, then close with a report."""
