from connections.models.access import ApiToken, Pin
from connections.models.audit import AuditLine
from connections.models.cards import PaymentCard
from connections.models.channels import AlertChannel
from connections.models.connection import (
    Connection,
    Credential,
    Entity,
    PostingProfile,
    RampToken,
    WebhookSubscription,
)
from connections.models.egress import RateBucket
from connections.models.erp_addresses import ErpAddress
from connections.models.identities import (
    FieldOwner,
    RampVendor,
    SeparateVendors,
    VendorChange,
    VendorField,
    VendorLink,
)
from connections.models.mappings import Mapping, MappingChange, MappingKind, MappingRevision
from connections.models.mirror import DriftDecision, Mirror, MirrorRun, UploadBatch
from connections.models.reference import (
    CustomField,
    ErpEntity,
    FieldOption,
    LedgerAccount,
    ReferenceKind,
    TaxCode,
    TaxRate,
    Vendor,
)
from connections.models.upkeep import Chore, HealthCheck, Switch
from connections.models.vendor_creation import VendorCreation

__all__ = [
    "AlertChannel",
    "ApiToken",
    "AuditLine",
    "Chore",
    "Connection",
    "Credential",
    "CustomField",
    "DriftDecision",
    "Entity",
    "ErpAddress",
    "ErpEntity",
    "FieldOption",
    "FieldOwner",
    "HealthCheck",
    "LedgerAccount",
    "Mapping",
    "MappingChange",
    "MappingKind",
    "MappingRevision",
    "Mirror",
    "MirrorRun",
    "PaymentCard",
    "Pin",
    "PostingProfile",
    "RampToken",
    "RampVendor",
    "RateBucket",
    "ReferenceKind",
    "SeparateVendors",
    "Switch",
    "TaxCode",
    "TaxRate",
    "UploadBatch",
    "Vendor",
    "VendorChange",
    "VendorCreation",
    "VendorField",
    "VendorLink",
    "WebhookSubscription",
]
