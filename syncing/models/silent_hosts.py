"""Servers of ERPs that let requests hang: few customers at a time find out whether they do."""

from django.db import models


class SilentHost(models.Model):
    """A server that left somebody without an answer; the row goes with its first answer.

    Whoever works on it holds one of two places for as long as a turn: one for customers whom it has
    left without an answer before, and one for all others, so that these never wait for those.
    """

    host = models.CharField(max_length=300, primary_key=True)
    silent_since = models.DateTimeField()
    silent_at = models.DateTimeField(help_text="When a request was last given up.")
    known_token = models.UUIDField(null=True, blank=True)
    known_until = models.DateTimeField(null=True, blank=True)
    fresh_token = models.UUIDField(null=True, blank=True)
    fresh_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.host}, silent since {self.silent_since:%Y-%m-%d %H:%M}"
