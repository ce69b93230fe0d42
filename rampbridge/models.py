"""Figures of all processes together, and the processes. Written by `rampbridge.metrics.writing`."""

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


class MeterMinute(models.Model):
    """The same of one minute, of the few meters whose last minutes alerts look at."""

    minute = models.DateTimeField()
    name = models.CharField(max_length=60)
    labels = models.JSONField(default=list)
    part = models.CharField(max_length=8, blank=True, default="")
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "minute", "labels", "part"], name="meter_minute_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.part} at {self.minute}"


class Process(models.Model):
    """One process of ours: what it is, and when it last wrote down what it had counted."""

    class Kind(models.TextChoices):
        WEB = "web", "Web pages"
        WORKER = "worker", "Worker"

    name = models.CharField(max_length=200, primary_key=True, help_text="Its machine and number.")
    kind = models.CharField(max_length=6, choices=Kind)
    queues = models.JSONField(default=list, help_text="Of a worker: which it takes tasks from.")
    release = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
