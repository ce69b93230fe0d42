"""The JSON API, by keys."""
