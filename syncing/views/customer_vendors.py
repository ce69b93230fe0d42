"""Vendors of one customer that transactions wait for, in words."""

from dataclasses import dataclass

from connections import queries as connection_queries
from connections.models import Connection, VendorCreation
from syncing import vendor_waits
from syncing.classifier import ErrorCategory
from syncing.queries.related import waiting_counts
from syncing.queries.words import Look

Step = VendorCreation.Step


@dataclass(frozen=True, slots=True)
class VendorRow:
    """One vendor on its way into the ERP and into Ramp."""

    creation: VendorCreation
    erp_name: str
    cause: str
    waiting: int

    @property
    def look(self) -> Look:
        if self.creation.due_at is None:
            if self.creation.error_category == ErrorCategory.USER_ACTIONABLE:
                return Look("Waiting for customer", "customer", "hand")
            return Look("Needs a person", "person", "octagon-alert")
        if self.creation.error_title:
            return Look("Retrying", "retry", "rotate-ccw")
        return Look("Working", "work", "send")

    @property
    def step(self) -> str:
        """How far it has come."""
        match self.creation.step:
            case Step.WANTED:
                return f"to be created in {self.erp_name}"
            case Step.IN_ERP:
                return f"in {self.erp_name}, to be uploaded to Ramp"
            case Step.IN_RAMP:
                return "in both; its transactions are being coded"
            case other:
                return other.replace("_", " ")


def unfinished(connection: Connection) -> list[VendorRow]:
    """Vendors that are being created or wait for a person; two queries, one if there are none."""
    creations = connection_queries.unfinished_vendors(connection.pk)
    causes = [vendor_waits.cause_of(one.merchant_id) for one in creations]
    counts = waiting_counts(connection.pk, causes)
    return [
        VendorRow(one, connection.erp_name, cause, counts.get(cause, 0))
        for one, cause in zip(creations, causes, strict=True)
    ]
