"""What people tick in step 12."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from migrations_tool import rules
from migrations_tool.cutover import acts, canaries
from migrations_tool.models import BillInFlight, CanaryObject, ConnectionMigration, Rule
from migrations_tool.steps import Step
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow

UNPROCESSABLE, CONFLICT = 422, 409


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_tick(request: HtmxHttpRequest, pk: int, canary: int) -> HttpResponse:
    """The document is right, or what is wrong with it."""
    found = get_object_or_404(
        CanaryObject.objects.select_related("migration", "item"), pk=canary, migration=pk
    )
    objects = "object" in request.POST
    objection = request.POST.get("objection", "").strip()

    def tick() -> None:
        if objects and not objection:
            raise Refused("Say what is wrong with the document.")
        canaries.tick(
            found,
            objection=objection if objects else "",
            version=_version(request),
            actor=_me(request),
            now=timezone.now(),
        )

    return _try(request, pk, tick, "Noted: it is wrong." if objects else "Ticked.")


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_release(request: HtmxHttpRequest, pk: int, object_type: str) -> HttpResponse:
    """Let the rest of one type follow its canary."""
    found = _migration(pk)
    return _try(
        request,
        pk,
        lambda: canaries.release_early(
            found, object_type, version=_version(request), actor=_me(request), now=timezone.now()
        ),
        "Released. What waits of this type is posted now.",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_codings(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Somebody has read what became of the codings."""
    found = _migration(pk)
    return _try(
        request,
        pk,
        lambda: acts.acknowledge_codings(
            found,
            checksum=request.POST.get("checksum", ""),
            version=_version(request),
            actor=_me(request),
            now=timezone.now(),
        ),
        "Noted with your name.",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_dismiss(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """What seemed to be booked twice is two things."""
    found = _migration(pk)
    return _try(
        request,
        pk,
        lambda: acts.dismiss(
            found,
            key=request.POST.get("key", ""),
            reason=request.POST.get("reason", ""),
            version=_version(request),
            actor=_me(request),
            now=timezone.now(),
        ),
        "Noted with your reason.",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_bill(request: HtmxHttpRequest, pk: int, bill: int) -> HttpResponse:
    """What was decided about a bill is done."""
    found = get_object_or_404(
        BillInFlight.objects.select_related("migration"), pk=bill, migration=pk
    )
    return _try(
        request,
        pk,
        lambda: acts.tick_bill(
            found, version=_version(request), actor=_me(request), now=timezone.now()
        ),
        "Ticked off.",
    )


@require_POST
@allow(Permission.MIGRATE)
def migration_cutover_rule(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """A rule stands in Ramp again."""
    found = get_object_or_404(Rule.objects.select_related("migration"), pk=rule, migration=pk)
    return _try(request, pk, lambda: rules.tick(found, _me(request), timezone.now()), "Ticked off.")


def _try(request: HtmxHttpRequest, pk: int, act: Callable[[], None], said: str) -> HttpResponse:
    try:
        act()
    except Refused as refused:
        status = CONFLICT if isinstance(refused, StepNotCurrent) else UNPROCESSABLE
        return answer(
            request, pk, Step.CUTOVER, status=status, notice=str(refused), is_refused=True
        )
    return answer(request, pk, Step.CUTOVER, notice=said)


def _version(request: HtmxHttpRequest) -> int:
    said = request.POST.get("version", "")
    return int(said) if said.isdecimal() else -1


def _me(request: HtmxHttpRequest) -> str:
    return request.user.get_username()


def _migration(pk: int) -> ConnectionMigration:
    return get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
