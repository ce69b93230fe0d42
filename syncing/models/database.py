"""Which PostgreSQL we were talking to: a failover that forgot commits must not go unseen."""

from django.db import models


class DatabaseIdentity(models.Model):
    """The one row that says which server, on which timeline, wrote our rows (faults I5, I10)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    system_identifier = models.CharField(max_length=40)
    timeline = models.BigIntegerField()
    changed_at = models.DateTimeField(null=True, blank=True)
    suspect_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_database_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.system_identifier}/{self.timeline}"
