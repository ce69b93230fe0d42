"""Sessions in the database, read in one small statement: every page and every poll reads one."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from rampbridge.lib.statements import kept_rows

_READ = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(DatabaseStore):
    """As Django's, that the ORM took longer to ask for than PostgreSQL to find."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing, and a new key, if there is none or it has ended."""
        now = timezone.now()  # noqa: TID251  where Django's reads the clock
        found = kept_rows(_READ, [self.session_key, now])
        if found:
            return self.decode(found[0][0])
        self._session_key = None
        return {}
