from connections.models.connection import (
    Connection,
    Credential,
    Entity,
    PostingProfile,
    RampToken,
    WebhookSubscription,
)
from connections.models.egress import RateBucket
from connections.models.mappings import Mapping
from connections.models.reference import CustomField, FieldOption, LedgerAccount, Vendor
from connections.models.vendor_creation import VendorCreation

__all__ = [
    "Connection",
    "Credential",
    "CustomField",
    "Entity",
    "FieldOption",
    "LedgerAccount",
    "Mapping",
    "PostingProfile",
    "RampToken",
    "RateBucket",
    "Vendor",
    "VendorCreation",
    "WebhookSubscription",
]
