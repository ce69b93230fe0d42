"""A dead man's switch: tell somebody outside that we still look. When we fall silent, they ring."""

import logging

import httpx
from django.conf import settings

from syncing.models import AlertRound

_TIMEOUT = httpx.Timeout(5)

logger = logging.getLogger(__name__)


def beat(http: httpx.Client | None = None) -> bool:
    """Call the address that the deployment names, if it names one. Whether it was answered.

    A beat that is lost is not repeated: the next one comes in a minute, and one missing beat is not
    what such a service rings for.
    """
    if not settings.ALERT_HEARTBEAT_URL:
        return False
    problem = ""
    try:
        call = http.get if http else httpx.get
        answer = call(settings.ALERT_HEARTBEAT_URL, timeout=_TIMEOUT, follow_redirects=False)
        if not answer.is_success:
            problem = f"The heartbeat's address answers {answer.status_code}."
    except httpx.HTTPError as error:
        problem = f"The heartbeat's address does not answer: {type(error).__name__}."
    if problem:
        logger.warning("The heartbeat was not taken.", extra={"problem": problem})
    AlertRound.objects.filter(pk=1).exclude(heartbeat_problem=problem).update(
        heartbeat_problem=problem
    )
    return not problem
