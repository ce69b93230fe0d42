"""Which server a customer's ERP is on: customers that share one wait for it together."""

from django.db import models

from connections.models.connection import Connection


class ErpAddress(models.Model):
    """The host and port that a customer's credentials name, without the credentials.

    Written by whoever makes an adapter of them. A customer without a row shares nothing.
    """

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="erp_address"
    )
    host = models.CharField(max_length=300, db_index=True)

    def __str__(self) -> str:
        return self.host
