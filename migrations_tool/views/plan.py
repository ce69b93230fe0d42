"""The form of the plan."""

from typing import cast

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from migrations_tool.models import ConnectionMigration
from migrations_tool.plan.form import PlanForm
from migrations_tool.plan.services import Agreed, save_plan
from migrations_tool.running import look_again
from migrations_tool.steps import Step
from migrations_tool.views.acts import CONFLICT, UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow


@require_POST
@allow(Permission.MIGRATE)
def migration_plan_save(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Keep the day and the people. What was typed stays, whatever is wrong with it."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    form = PlanForm(request.POST)
    if not form.is_valid():
        errors = {name: " ".join(map(str, found)) for name, found in form.errors.items()}
        return answer(
            request, pk, Step.PLAN, status=UNPROCESSABLE, values=request.POST.dict(), errors=errors
        )
    entered = dict(form.cleaned_data)
    version = entered.pop("version")
    now = timezone.now()
    try:
        is_other = save_plan(
            migration,
            cast(Agreed, entered),
            version=version,
            actor=request.user.get_username(),
            now=now,
        )
    except Refused as refusal:
        status = CONFLICT if isinstance(refusal, StepNotCurrent) else UNPROCESSABLE
        return answer(
            request,
            pk,
            Step.PLAN,
            status=status,
            notice=str(refusal),
            is_refused=True,
            values=request.POST.dict(),
        )
    look_again(migration, Step.PLAN, now)
    words = "The plan is kept." if is_other else "Nothing was changed."
    return answer(request, pk, Step.PLAN, notice=words)
