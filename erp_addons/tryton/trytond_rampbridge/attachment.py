# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
from trytond.model.exceptions import SQLConstraintError
from trytond.pool import Pool, PoolMeta
from trytond.rpc import RPC

from .external import ReferenceMixin, TwinCommitted, is_twin


class Attachment(ReferenceMixin, metaclass=PoolMeta):
    __name__ = 'ir.attachment'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__rpc__.update({
                'bridge_attach': RPC(readonly=False),
                })

    @classmethod
    def bridge_attach(cls, model, ref, source, name, data):
        """Attach a file to the document that carries a reference, once per source.

        The id of the attachment, old or new; None if no document of that model carries the reference.
        """
        document = Pool().get(model).bridge_known([ref]).get(ref)
        if document is None:
            return None
        key = f'{ref}/{source}'
        attachment = cls.bridge_known([key]).get(key)
        if attachment is None:
            try:
                attachment, = cls.create([{
                            'resource': str(document),
                            'name': name,
                            'type': 'data',
                            'data': data,
                            'external_ref': key,
                            }])
            except SQLConstraintError as error:
                if is_twin(error):
                    raise TwinCommitted from error
                raise
        return attachment.id
