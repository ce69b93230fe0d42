"""Closing months: frozen figures, the word that a month is clean, and when customers close."""
