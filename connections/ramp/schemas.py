"""The parts of Ramp's answers that we read. Unknown keys are ignored, unknown words are kept."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from connections.ramp.errors import SchemaSurprise
from rampbridge.lib.money import Money

_FLOAT_DIGITS = 15  # a decimal of that many digits survives the way through a double


def _exact(value: object) -> object:
    """Let a float pass only while it still says exactly what stood in the JSON."""
    if not isinstance(value, float):
        return value
    number = Decimal(repr(value))
    if len(number.as_tuple().digits) > _FLOAT_DIGITS:
        raise ValueError("this amount has lost digits on its way through a float")
    return number


def _utc(moment: datetime) -> datetime:
    """Ramp's times without an offset are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def empty_for_null(value: object) -> object:
    """Ramp writes null for a list without members, now and then."""
    return () if value is None else value


def _ids_of_receipts(value: object) -> object:
    """By id, or as records with one. A form that nobody foresaw must not stop the spend itself."""
    if not isinstance(value, list | tuple):
        return ()
    ids = (one.get("id") if isinstance(one, dict) else one for one in value)
    return tuple(one for one in ids if isinstance(one, str))


def _switches(value: object) -> object:
    """A setting of another kind than on and off, should Ramp get one, is none of ours."""
    if not isinstance(value, dict):
        return value
    return {name: setting for name, setting in value.items() if isinstance(setting, bool)}


Moment = Annotated[datetime, AfterValidator(_utc)]
MajorUnits = Annotated[Decimal, BeforeValidator(_exact)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Ids = Annotated[tuple[str, ...], BeforeValidator(empty_for_null)]
Receipts = Annotated[tuple[str, ...], BeforeValidator(_ids_of_receipts)]
Flag = Annotated[bool, BeforeValidator(lambda value: False if value is None else value)]
Switches = Annotated[Mapping[str, bool] | None, BeforeValidator(_switches)]


class Schema(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read one object from its JSON text, digit by digit.

        :raises SchemaSurprise: if it is not as the contract says
        """
        return cls.read(decode(text))

    @classmethod
    def read(cls, document: Any) -> Self:
        """Read one object from JSON that is decoded already.

        :raises SchemaSurprise: if it is not as the contract says
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise SchemaSurprise(f"{cls.__name__}: {reasons(error)}") from error


def decode(text: str | bytes) -> Any:
    """JSON to Python, with numbers that have a point as `Decimal`.

    :raises SchemaSurprise: if it is not JSON
    """
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SchemaSurprise("The answer is not JSON.") from error


def reasons(error: ValidationError) -> str:
    """Where an object differs from the contract, and how; without its values."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'object'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )


class CurrencyAmount(Schema):
    """Minor units, with their factor since 2026."""

    amount: int
    currency_code: str
    minor_unit_conversion_rate: int | None = None

    @property
    def money(self) -> Money:
        return Money.from_minor(self.amount, self.currency_code, self.minor_unit_conversion_rate)

    @model_validator(mode="after")
    def _is_money(self) -> Self:
        _ = self.money
        return self


class SignedAmount(Schema):
    """Minor units with a sign; `entity_amount` and `merchant_amount` of mid-2026."""

    value: int
    currency: str

    @property
    def money(self) -> Money:
        return Money.from_minor(self.value, self.currency)

    @model_validator(mode="after")
    def _is_money(self) -> Self:
        _ = self.money
        return self


class CategoryInfo(Schema):
    """The field that a selection belongs to."""

    id: Text = ""
    external_id: Text = ""
    name: Text = ""
    type: Text = ""


class Selection(Schema):
    """One coding: which option was chosen in which field."""

    id: Text = ""
    external_id: Text = ""
    external_code: Text = ""
    name: Text = ""
    stated_type: Text = Field("", validation_alias="type")
    category_info: CategoryInfo | None = None

    @property
    def type(self) -> str:
        """GL_ACCOUNT, MERCHANT, TAX_CODE, OTHER ...; fields we created ourselves are OTHER."""
        return (self.category_info and self.category_info.type) or self.stated_type

    @property
    def field_external_id(self) -> str:
        """Our own id of the field; the native ones are `Category` and `Merchant`."""
        return self.category_info.external_id if self.category_info else ""

    @property
    def is_for_erp(self) -> bool:
        """Whether the field came from the ERP; others live in Ramp only and are never posted."""
        return self.type != "NON_ERP"


Selections = Annotated[tuple[Selection, ...], BeforeValidator(empty_for_null)]


class LineItem(Schema):
    """One line of a split."""

    amount: CurrencyAmount | None = None
    converted_amount: CurrencyAmount | None = None
    memo: Text = ""
    accounting_field_selections: Selections = ()

    @property
    def money(self) -> Money | None:
        """In the card's currency where Ramp says so; `amount` was seen in the merchant's."""
        stated = self.converted_amount or self.amount
        return stated.money if stated else None


class Coded(Schema):
    """An object with codings of its own, beside those of its lines."""

    accounting_field_selections: Selections = ()

    def codings(self, line: LineItem) -> tuple[Selection, ...]:
        """The codings of a line: its own, and for fields it leaves out those of the body."""
        coded = {(own.type, own.field_external_id) for own in line.accounting_field_selections}
        inherited = (
            selection
            for selection in self.accounting_field_selections
            if (selection.type, selection.field_external_id) not in coded
        )
        return (*line.accounting_field_selections, *inherited)


class CardHolder(Schema):
    user_id: UUID | None = None
    first_name: Text = ""
    last_name: Text = ""
    department_name: Text = ""
    location_name: Text = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Transaction(Coded):
    """A card transaction. Amounts are checked while it is read, so `money` cannot fail later."""

    id: UUID
    amount: MajorUnits | None = None
    currency_code: Text = ""
    minor_unit_conversion_rate: int | None = None
    entity_amount: SignedAmount | None = None
    original_transaction_amount: CurrencyAmount | None = None
    state: Text = ""
    sync_status: Text = ""
    synced_at: Moment | None = None
    accounting_date: Moment | None = None
    user_transaction_time: Moment | None = None
    updated_at: Moment | None = None
    settlement_date: Moment | None = None
    entity_id: UUID | None = None
    merchant_id: UUID | None = None
    merchant_name: Text = ""
    memo: Text = ""
    card_id: UUID | None = None
    card_holder: CardHolder | None = None
    receipts: Receipts = ()
    line_items: Annotated[tuple[LineItem, ...], BeforeValidator(empty_for_null)] = ()
    requires_accounting_vendor_creation_to_sync: Flag = False

    @property
    def money(self) -> Money:
        """What the card was charged; negative for a refund."""
        if self.entity_amount:
            return self.entity_amount.money
        if self.amount is None:
            raise ValueError("there is neither entity_amount nor amount")
        return Money.from_decimal(self.amount, self.currency_code, self.minor_unit_conversion_rate)

    @property
    def original_money(self) -> Money | None:
        """What the merchant charged, where that was in another currency."""
        original = self.original_transaction_amount
        return original.money if original else None

    @model_validator(mode="after")
    def _is_money(self) -> Self:
        _ = self.money
        return self


class Business(Schema):
    id: UUID
    business_name_legal: Text = ""
    business_name_on_card: Text = ""

    @property
    def name(self) -> str:
        return self.business_name_legal or self.business_name_on_card


class EntityAccount(Schema):
    """The ERP account that plays a part for an entity, as Ramp was told."""

    external_id: Text = ""
    external_name: Text = ""
    usage_type: Text = ""


class Entity(Schema):
    id: UUID
    name: Text = Field("", validation_alias="entity_name")
    currency: Text = ""
    is_primary: Flag = False
    accounts: Annotated[tuple[EntityAccount, ...], BeforeValidator(empty_for_null)] = ()


class AccountingConnection(Schema):
    """The seat of an ERP at a business. Unlinked ones stay listed as tombstones."""

    id: UUID
    remote_provider_name: Text = ""
    connection_type: Text = ""
    is_active: bool | None = None
    is_ready_to_migrate: Flag = False
    status: Text = ""
    created_at: Moment | None = None
    last_linked_at: Moment | None = None
    settings: Switches = None
    """Switches by name; None where they do not apply: of other kinds, and of tombstones."""

    @property
    def is_api(self) -> bool:
        """Whether it is fed through this API. `DIRECT` ones Ramp runs itself (M6), `CSV` by hand.

        The documents before 2026 name no type.
        """
        return self.connection_type.upper() in {"", "API"}

    @property
    def is_live(self) -> bool:
        """`status` is deprecated and comes in either case; `is_active` counts where it is given."""
        return self.status.lower() == "linked" if self.is_active is None else self.is_active


class ConnectionList(Schema):
    connections: tuple[AccountingConnection, ...]


class Reference(Schema):
    """What all records of the chart have: our id, Ramp's, and whether Ramp still offers it."""

    ramp_id: UUID
    id: Text = ""
    is_active: bool = True
    accounting_connection_id: UUID | None = None


class GLAccount(Reference):
    name: Text
    code: Text = ""
    classification: Text = ""


class NativeField(Schema):
    """A field that every business has, and which we did not create: Category, Merchant."""

    ramp_id: UUID | None = None


class Vendor(Reference):
    name: Text
    code: Text = ""
    is_synced: Flag = False
    vendor_category_info: NativeField | None = None
    """The field that vendors are the options of."""


class AccountingField(Reference):
    name: Text = ""
    display_name: Text = ""
    input_type: Text = ""
    is_splittable: Flag = False
    is_required_for: Annotated[tuple[str, ...], BeforeValidator(empty_for_null)] = ()


class FieldOption(Reference):
    value: Text = ""
    code: Text = ""
    display_name: Text = ""
    visibility: Text = "VISIBLE"

    @property
    def is_selectable(self) -> bool:
        return self.is_active and self.visibility.upper() != "HIDDEN"


class TaxRate(Reference):
    name: Text
    rate: MajorUnits
    """A fraction: 0.05 is 5 %."""
    accounting_gl_account_id: UUID | None = None
    """Ramp's id of the GL account."""


class TaxCodeField(Reference):
    """The one field that tax codes are the options of. Its `id` is given by Ramp."""

    name: Text = ""
    display_name: Text = ""


class TaxCode(Reference):
    name: Text
    tax_rate_ids: Ids = ()
    """The ERP's ids of its rates."""


class InventoryItem(Reference):
    """The one field that inventory items are the options of. Its `id` is given by Ramp."""

    name: Text = ""
    display_name: Text = ""


class InventoryItemOption(Reference):
    name: Text
    gl_account_id: UUID | None = None
    """Ramp's id of the GL account."""


class RampVendor(Schema):
    """A vendor of Ramp's own, whom bills are from (R-33)."""

    id: UUID
    name: Text
    is_active: bool = True
    country: Text = ""
    state: Text = ""
    accounting_vendor_remote_id: Text = ""
    """The ERP's id of the accounting vendor it is linked to; empty if it is not linked."""
    merchant_id: Text = ""
    contacts: Ids = ()
    total_spend_last_365_days: CurrencyAmount | None = None
    created_at: Moment | None = None

    @property
    def spend(self) -> Money | None:
        """What it was paid in the last 365 days."""
        stated = self.total_spend_last_365_days
        return stated.money if stated else None


class RampVendorContact(Schema):
    id: Text = ""
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    is_default: Flag = False

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class RampVendorAccount(Schema):
    """A way to pay a vendor. Numbers of accounts are never read."""

    id: Text = ""
    account_nickname: Text = ""
    currency: Text = ""
    payment_method: Text = ""
    is_default: Flag = False


class Webhook(Schema):
    """A subscription. Only the answer to its creation carries the secret."""

    id: str
    endpoint_url: str = ""
    event_types: Annotated[tuple[str, ...], BeforeValidator(empty_for_null)] = ()
    status: Text = ""
    secret: SecretStr = SecretStr("")

    @property
    def is_active(self) -> bool:
        return self.status.lower() == "active"


class Verified(Schema):
    success: bool = False


class SyncAccepted(Schema):
    sync_id: Text = ""


class MintedToken(Schema):
    access_token: SecretStr = Field(min_length=1)
    expires_in: int = Field(gt=0)
    scope: Text = ""
