"""The choice of the switches that step 9 turns."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from connections.models import Switch
from migrations_tool.models import ConnectionMigration
from migrations_tool.settings_step import wishes
from migrations_tool.steps import Step
from migrations_tool.views.acts import CONFLICT, UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow


@require_POST
@allow(Permission.MIGRATE)
def migration_settings_choose(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Keep how a switch is to stand. Ramp hears of it when the step is applied."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    posted = request.POST
    name, version = posted.get("name", ""), posted.get("version", "")
    if name not in Switch.Name.values or posted.get("on") not in {"0", "1"}:
        return _refused(request, pk, Refused("There is no such switch. Load the page again."))
    if not (version.isascii() and version.isdecimal()):
        return _refused(request, pk, StepNotCurrent("Load the page again."))
    switch, on = Switch.Name(name), posted["on"] == "1"
    try:
        wishes.choose(
            migration,
            switch,
            on=on,
            version=int(version),
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except Refused as refusal:
        return _refused(request, pk, refusal)
    words = f"{switch.label} is to be {'on' if on else 'off'}. Apply this step to bring it to Ramp."
    return answer(request, pk, Step.SETTINGS, notice=words)


def _refused(request: HtmxHttpRequest, pk: int, refusal: Refused) -> HttpResponse:
    status = CONFLICT if isinstance(refusal, StepNotCurrent) else UNPROCESSABLE
    return answer(request, pk, Step.SETTINGS, status=status, notice=str(refusal), is_refused=True)
