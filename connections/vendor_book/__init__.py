"""Vendors of both sides as a book: who is whom, who said so, and what to do where they differ."""
