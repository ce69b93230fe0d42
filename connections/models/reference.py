"""The ERP's chart as it is, and as Ramp has it: one row holds both sides."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Now, Upper

from connections.models.connection import Connection
from connections.models.match_key import email_domain, match_key


class ReferenceKind(models.TextChoices):
    """What is mirrored, as batches, decisions and mappings name it."""

    ACCOUNT = "account", "GL account"
    VENDOR = "vendor", "Vendor"
    FIELD = "field", "Field"
    OPTION = "option", "Field option"
    TAX_RATE = "tax_rate", "Tax rate"
    TAX_CODE = "tax_code", "Tax code"


class Reference(models.Model):
    """What every record mirrored from the ERP into Ramp has.

    The first half is the ERP's, `ramp_*` is what Ramp last confirmed. Where the two differ there is
    drift, and the next upload sends just that.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    erp_id = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    code = models.CharField(max_length=100, blank=True, default="")
    parent_erp_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    is_active = models.BooleanField(default=True)
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="Absent since then from complete lists of the ERP (M5)."
    )
    changed_at = models.DateTimeField(
        db_default=Now(), help_text="When the ERP's side was last seen to change: age of the drift."
    )

    ramp_id = models.UUIDField(null=True, blank=True, help_text="Empty: not uploaded yet.")
    ramp_name = models.CharField(max_length=300, blank=True, default="", db_default="")
    ramp_code = models.CharField(max_length=100, blank=True, default="", db_default="")
    ramp_is_active = models.BooleanField(default=False, db_default=False)
    ramp_confirmed_at = models.DateTimeField(null=True, blank=True)

    refusal = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="Why Ramp, or we, refuse."
    )
    refusal_field = models.CharField(max_length=60, blank=True, default="", db_default="")
    refused_content = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="What was refused, as a digest: the same is not sent again.",
    )
    refused_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class LedgerAccount(Reference):
    """A GL account."""

    classification = models.CharField(max_length=12, default="UNKNOWN")
    is_postable = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="ledger_account_once"),
        ]


class CustomField(Reference):
    """A dimension of the ERP (department, class, project) shown in Ramp as a custom field."""

    display_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    is_splittable = models.BooleanField(default=True, db_default=True)
    required_for = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="What cannot be ready to sync without it, in Ramp's words: TRANSACTION, BILL.",
    )
    ramp_display_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    ramp_is_splittable = models.BooleanField(default=True, db_default=True)
    ramp_required_for = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField())
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="custom_field_once"),
        ]


class FieldOption(Reference):
    """One value of a dimension."""

    field = models.ForeignKey(CustomField, models.CASCADE, related_name="options")
    ramp_is_hidden = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["field", "erp_id"], name="field_option_once"),
        ]


class Vendor(Reference):
    """A vendor of the ERP, uploaded to Ramp as an accounting vendor.

    Of bank and tax ids only the last characters are kept, with a keyed digest to compare by.
    """

    merged_into = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="The ERP's id of the heir."
    )
    email = models.CharField(max_length=254, blank=True, default="", db_default="")
    country = models.CharField(max_length=2, blank=True, default="", db_default="")
    tax_id_hint = models.CharField(max_length=8, blank=True, default="", db_default="")
    tax_id_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    bank_hint = models.CharField(max_length=8, blank=True, default="", db_default="")
    bank_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    accepted_bank_digest = models.CharField(  # noqa: DJ001  "never looked at" is not "none"
        max_length=64,
        null=True,
        blank=True,
        help_text="What two people accepted, or was there when we first looked.",
    )
    accepted_bank_hint = models.CharField(max_length=8, blank=True, default="", db_default="")
    name_is_held = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Ramp keeps the name it has: it is the owner, or a person has not decided.",
    )
    match_key = match_key("name")
    email_domain = email_domain("email")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="vendor_once"),
        ]
        indexes = [
            models.Index(fields=["connection", "match_key", "erp_id"], name="vendors_by_match_key"),
            models.Index(
                fields=["connection", "tax_id_digest"],
                condition=~models.Q(tax_id_digest=""),
                name="vendors_by_tax_id",
            ),
            models.Index(
                fields=["connection", "bank_digest"],
                condition=~models.Q(bank_digest=""),
                name="vendors_by_bank",
            ),
            models.Index(
                fields=["connection"],
                condition=models.Q(accepted_bank_digest=None),
                name="vendors_bank_not_seen",
            ),
            models.Index(
                fields=["connection"],
                condition=~models.Q(bank_digest=models.F("accepted_bank_digest")),
                name="vendors_bank_changed",
            ),
            models.Index(
                fields=["connection"],
                condition=models.Q(name_is_held=True),
                name="vendors_name_held",
            ),
            models.Index(
                "connection",
                OpClass(Upper("code"), name="text_pattern_ops"),
                condition=~models.Q(code=""),
                name="vendors_by_code",
            ),
            models.Index(
                "connection",
                OpClass("erp_id", name="text_pattern_ops"),
                name="vendors_by_start_of_id",
            ),
            models.Index(
                fields=["connection", "email_domain"],
                condition=~models.Q(email_domain=""),
                name="vendors_by_email_domain",
            ),
            models.Index(fields=["connection", "name", "id"], name="vendors_by_name"),
            models.Index(
                "connection",
                OpClass(Upper("name"), name="text_pattern_ops"),
                name="vendors_by_start_of_name",
            ),
            models.Index(
                fields=["connection", "merged_into"],
                condition=~models.Q(merged_into=""),
                name="vendors_merged",
            ),
        ]


class TaxRate(Reference):
    """A rate of tax. Ramp wants it before the codes that use it (R-46)."""

    rate = models.DecimalField(max_digits=12, decimal_places=8, help_text="0.05 is 5 %.")
    account_erp_id = models.CharField(max_length=100, blank=True, default="")
    ramp_rate = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="tax_rate_once"),
        ]


class TaxCode(Reference):
    """What people choose on a line: one rate, or several at once."""

    rate_erp_ids = models.JSONField(default=list)
    ramp_rate_erp_ids = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="tax_code_once"),
        ]


class ErpEntity(models.Model):
    """A company or subsidiary of the ERP, for Ramp's entities to be mapped to."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="erp_entities")
    erp_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, blank=True, default="")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="erp_entity_once"),
        ]

    def __str__(self) -> str:
        return self.name
