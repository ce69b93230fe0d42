"""Pictures of rules: taken in as they are, and served so that no browser takes them for more."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from migrations_tool.models import Rule, Screenshot
from migrations_tool.rules import screenshots
from migrations_tool.steps import Step
from migrations_tool.views.acts import UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow


@require_POST
@allow(Permission.MIGRATE)
def migration_rules_picture(request: HtmxHttpRequest, pk: int, rule: int) -> HttpResponse:
    """Add a picture to a rule."""
    found = get_object_or_404(
        Rule.objects.select_related("migration__connection"), pk=rule, migration=pk
    )
    upload = request.FILES.get("picture")
    try:
        screenshots.keep(
            found,
            name=(upload and upload.name) or "picture",
            content=upload.read(screenshots.MOST_BYTES + 1) if upload else b"",
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except Refused as refusal:
        return answer(
            request,
            pk,
            Step.RULES,
            status=UNPROCESSABLE,
            notice=str(refusal),
            is_refused=True,
            open_form=str(rule),
        )
    return answer(request, pk, Step.RULES, notice=f"The picture is kept with {found.name}.")


@require_GET
@allow(Permission.SEE)
def migration_screenshot(_request: HttpRequest, pk: int, picture: int) -> HttpResponse:
    """One picture, to be looked at and nothing else."""
    found = get_object_or_404(Screenshot, pk=picture, rule__migration=pk)
    ending = found.content_type.removeprefix("image/")
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": f'inline; filename="rule-{found.pk}.{ending}"',
            "Cache-Control": "private, max-age=86400, immutable",
        },
    )
