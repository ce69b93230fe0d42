"""What other pages show of migrations."""
