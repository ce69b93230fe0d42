"""Figures of all processes together, written by `rampbridge.metrics.writing`."""

from django.db import models


class Meter(models.Model):
    """One number that only grows: what `rampbridge.lib.meters` has counted, of all processes.

    Prometheus reads it. A process that ends takes nothing with it.
    """

    name = models.CharField(max_length=60)
    labels = models.JSONField(default=list, help_text="Their values, in the meter's order.")
    part = models.CharField(
        max_length=8, blank=True, default="", help_text="Of a duration: the index of its bin; sum."
    )
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "labels", "part"], name="meter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.part}"


class MeterDay(models.Model):
    """The same of one day (UTC): what a promise over 28 days is held against."""

    day = models.DateField()
    name = models.CharField(max_length=60)
    labels = models.JSONField(default=list)
    part = models.CharField(max_length=8, blank=True, default="")
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "day", "labels", "part"], name="meter_day_once")
        ]
        indexes = [models.Index(fields=["day"], name="meters_by_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.part} on {self.day}"
