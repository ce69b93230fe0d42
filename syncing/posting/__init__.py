"""From an object of Ramp to a document for the ERP. Pure: neither HTTP nor rows."""

from connections.erp.records import Document
from connections.mappings import MappingSet
from connections.ramp.schemas import Transaction
from syncing.posting.transactions import journal_for

__all__ = ["document_for"]


def document_for(object_type: str, body: str, *, mappings: MappingSet, tenant: str) -> Document:
    """The document that an object of Ramp, as JSON text, becomes in the ERP.

    `tenant` names the customer in the document's reference, the same in every process and for ever.

    :raises CannotPost: if the object as Ramp has it makes no document
    :raises MissingMapping: if a coding of it leads nowhere in the ERP
    :raises SchemaSurprise: if the body is not as Ramp's contract says
    """
    match object_type:
        case "transaction":
            return journal_for(Transaction.parse(body), mappings=mappings, tenant=tenant)
        case _:
            raise ValueError(f"No document is made from a {object_type}.")
