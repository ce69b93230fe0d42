# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
from trytond.pool import PoolMeta

from .external import ReferenceMixin


class Party(ReferenceMixin, metaclass=PoolMeta):
    __name__ = 'party.party'
