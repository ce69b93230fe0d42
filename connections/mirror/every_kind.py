"""All kinds that are mirrored, by name, in the order in which they depend on each other."""

from collections.abc import Mapping

from connections.mirror.kinds import Accounts, Fields, Mirrored, Options, Vendors
from connections.mirror.tax import TaxCodes, TaxRates

EVERY_KIND: Mapping[str, Mirrored] = {
    one.kind: one for one in (Accounts(), Fields(), Options(), Vendors(), TaxRates(), TaxCodes())
}
