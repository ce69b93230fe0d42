# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
"""What bridged models share: the reference, and many documents per call with one answer for each."""
import json
from contextlib import contextmanager

from trytond.exceptions import UserError, UserWarning
from trytond.i18n import gettext
from trytond.model import Unique, fields
from trytond.model.exceptions import SQLConstraintError
from trytond.transaction import (
    Transaction, TransactionError, inactive_records, without_check_access)

from .exceptions import DocumentNotFoundError, ReferenceReusedError


class TwinCommitted(TransactionError):
    """Another call has just committed our reference.

    The dispatcher starts over with a new snapshot of the database, in which the look-up finds it.
    """


class ReferenceMixin:
    """A reference from outside, which no two records share."""
    __slots__ = ()

    external_ref = fields.Char(
        "External Reference", readonly=True,
        help="How another system names this record.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_constraints.append((
                'external_ref_unique', Unique(table, table.external_ref),
                'rampbridge.msg_external_ref_unique'))

    @classmethod
    def copy(cls, records, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('external_ref')
        return super().copy(records, default=default)

    @classmethod
    def bridge_known(cls, refs):
        """The records that carry these references, by reference.

        Without the caller's access rules: a record that the caller may not see still holds its reference.
        """
        with without_check_access(), inactive_records():
            found = cls.search([('external_ref', 'in', list(refs))], order=[])
            return {record.external_ref: record for record in found}


class DocumentMixin(ReferenceMixin):
    """A document that can be booked under a reference, once."""
    __slots__ = ()

    external_fingerprint = fields.Char(
        "External Fingerprint", readonly=True,
        help="A digest of what the other system sent.")

    @classmethod
    def copy(cls, records, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('external_fingerprint')
        return super().copy(records, default=default)

    @classmethod
    def bridge_book(cls, documents, book):
        """Book documents that are not booked yet: a list of answers in the order of the documents.

        Each document is a dictionary with `ref` and `fingerprint`; `book` makes posted records of a list
        of them. One that is refused leaves nothing behind and does not stop its neighbours.
        """
        refs = [document['ref'] for document in documents]
        if len(set(refs)) != len(refs):
            raise ValueError("A reference stands twice in one call")
        known = cls.bridge_known(refs)
        answers = {}
        unknown = []
        for document in documents:
            record = known.get(document['ref'])
            if record is None:
                unknown.append(document)
            else:
                answers[document['ref']] = cls._bridge_repeat(record, document)
        for document, answer in zip(unknown, cls._bridge_halve(unknown, book)):
            answers[document['ref']] = answer
        return [answers[ref] for ref in refs]

    @classmethod
    def _bridge_halve(cls, documents, book):
        """Book all at once, for that costs little more than one; when refused, each half by itself."""
        if not documents:
            return []
        answer = attempt(lambda: [
                record.bridge_answer(created=True) for record in book(documents)])
        if isinstance(answer, list):
            return answer
        if len(documents) == 1:
            return [answer]
        middle = len(documents) // 2
        return (cls._bridge_halve(documents[:middle], book)
            + cls._bridge_halve(documents[middle:], book))

    @classmethod
    def _bridge_repeat(cls, record, document):
        if record.external_fingerprint != document['fingerprint']:
            return refused(ReferenceReusedError(gettext(
                        'rampbridge.msg_reference_reused',
                        ref=document['ref'], record=record.rec_name)))
        if record.state in {'draft', 'validated'}:
            # Somebody has put it back to draft in the ERP since.
            return attempt(lambda: record.bridge_finish())
        return record.bridge_answer(created=False)

    def bridge_finish(self):
        """Post a draft."""
        cls = self.__class__
        cls.post([self])
        return cls(self.id).bridge_answer(created=False)

    def bridge_answer(self, created):
        """What the caller wants to know of a booked document."""
        raise NotImplementedError


@contextmanager
def savepoint():
    """Undo everything inside when Tryton refuses it: in the database, and what it noted for later."""
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    noted = _Noted(transaction)
    cursor.execute('SAVEPOINT bridge')
    try:
        yield
    except (UserError, UserWarning):
        cursor.execute('ROLLBACK TO SAVEPOINT bridge')
        noted.restore(transaction)
        raise
    cursor.execute('RELEASE SAVEPOINT bridge')


class _Noted:
    """What a transaction remembers outside the database."""

    def __init__(self, transaction):
        self.lists = {
            name: list(getattr(transaction, name))
            for name in ('log_records', 'user_notifications', 'tasks')}
        self.by_model = {
            name: {key: type(noted)(noted) for key, noted in getattr(transaction, name).items()}
            for name in ('create_records', 'delete_records', 'trigger_records', 'check_warnings')}

    def restore(self, transaction):
        for name, noted in self.lists.items():
            getattr(transaction, name)[:] = noted
        for name, noted in self.by_model.items():
            current = getattr(transaction, name)
            current.clear()
            current.update(noted)
        for cache in transaction.cache.values():
            cache.clear()
        transaction.counter += 1


def attempt(act):
    """The answer of `act`, or the answer that says why it was refused; nothing of it is left then."""
    try:
        with savepoint():
            return act()
    except (UserError, UserWarning) as error:
        if is_twin(error):
            raise TwinCommitted from error
        return refused(error)


def is_twin(error):
    """Whether somebody else has used our reference since we looked."""
    return (isinstance(error, SQLConstraintError)
        and error.message == gettext('rampbridge.msg_external_ref_unique'))


def refused(error):
    """The answer for a document that was refused. Plain JSON-RPC would lose the exception's class."""
    types = [
        class_.__name__ for class_ in type(error).__mro__
        if issubclass(class_, (UserError, UserWarning))]
    return {
        'refused': {
            'types': types,
            'name': getattr(error, 'name', ''),
            'message': error.message,
            'description': error.description or '',
            'domain': _domain(error),
            },
        }


def not_found(ref):
    """The answer when there is nothing to take back."""
    return refused(DocumentNotFoundError(gettext('rampbridge.msg_not_found', ref=ref)))


def _domain(error):
    """The condition that a value failed: unlike the message it is not translated."""
    domain = getattr(error, 'domain', None)
    return json.dumps(domain[0], default=str) if domain else ''
