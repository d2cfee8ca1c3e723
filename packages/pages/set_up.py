"""How to set a client up for a repository: its snippets, filled in, and whether it has called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from accounts.authentication import caller_of
from accounts.models import Membership, Token, User
from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.audit import Actor
from packages.filenames import NameRefused, parse_name
from packages.models import Project
from packages.pages.frame import frame
from packages.set_up.clients import GROUPS, Block, Client, clients
from packages.set_up.filling import SOME_PROJECT, Setting, filled, offered
from repos import configure
from repos.access import admitted, may, require, require_person
from repos.client_calls import last_call
from repos.forms import LIFETIMES, USUAL_LIFETIME, is_used, new_form_key, remember_used
from repos.models import ClientCall, Repository
from repos.targets import where_uploads_go

_FIRST = "pip"
_INSTALL, _PUBLISH = "install", "publish"
_ROLES = {_INSTALL: Role.READER, _PUBLISH: Role.WRITER}
_NAME_AT_MOST = 100


class SetUpTokenForm(forms.Form):
    """A token for one repository: as small as its purpose needs, and not for ever."""

    purpose = forms.ChoiceField(label="To")
    days = forms.TypedChoiceField(
        label="For",
        coerce=int,
        choices=[(str(days), words) for days, words in LIFETIMES.items()],
        initial=str(USUAL_LIFETIME),
    )
    form_key = forms.CharField(widget=forms.HiddenInput, required=False, initial=new_form_key)

    def __init__(self, *args: Any, may_publish: bool, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        purposes = [(_INSTALL, "install")]
        if may_publish:
            purposes.append((_PUBLISH, "install and publish"))
        self.fields["purpose"].choices = purposes  # type: ignore[attr-defined]  # of a choice field
        self.initial["purpose"] = purposes[-1][0]


@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, tenant: str, key: str, client: str = _FIRST) -> HttpResponse:
    """Show a client's snippets; a POST makes a token, which they hold in that answer alone."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    repository = come_in.repository
    target = where_uploads_go(principal, repository)
    setting = _setting(request, principal, repository, target)
    shown = offered(setting)
    chosen = clients().get(client)
    if chosen is None or chosen not in shown:
        raise Http404
    if request.method == "POST":
        require_person(principal)
        if is_used(request):
            messages.warning(request, "This form was sent before; its token was made then.")
            return redirect("set-up-client", tenant, key, client)
    form = SetUpTokenForm(
        request.POST if request.method == "POST" else None, may_publish=setting.may_publish
    )
    place = _place(principal, repository)
    token, secret = None, ""
    if place is not None and form.is_valid():
        token, secret = _make_token(form, place, repository, chosen, by=principal.actor)
        remember_used(request)
    context = frame(come_in) | {
        "client": chosen,
        "groups": _groups(shown),
        "blocks": filled(chosen, replace(setting, secret=secret)),
        "form": form,
        "place": place,
        "trusting": _trusting(principal, target, chosen),
        "secret": secret,
        "project": request.GET.get("project", "") and setting.project,
    }
    context |= _seen(repository, principal.user, token or _named_token(request, principal))
    answer = render(request, "packages/set_up.html", context)
    add_never_cache_headers(answer)
    return answer


@require_safe
def seen(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show whether one of the reader's clients has called, as a piece of the page above."""
    principal = caller_of(request)
    repository = require(principal, tenant, key, Role.READER)
    token = _named_token(request, principal)
    answer = render(request, "packages/set_up_seen.html", _seen(repository, principal.user, token))
    add_never_cache_headers(answer)
    return answer


def _named_token(request: HttpRequest, principal: Principal) -> Token | None:
    """Return the reader's token whose calls are asked for, by its identifier; it is no secret."""
    named = request.GET.get("token", "")
    if principal.user is None or not named.isalnum():
        return None
    return Token.objects.filter(membership__user=principal.user, identifier=named).first()


def _seen(repository: Repository, user: User | None, token: Token | None) -> dict[str, object]:
    """Return the reader's last call; of a token that was just made, its own."""
    token_id = token.pk if token else None
    call = last_call(repository, user, token_id=token_id) if user else None
    return {"call": call, "ago": _ago(call), "token": token}


def _ago(call: ClientCall | None) -> str:
    """Return how long ago a call was, in the largest unit that it fills."""
    seconds = max(int((clock.now() - call.at).total_seconds()), 0) if call else 0
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def _trusting(principal: Principal, target: Repository | None, client: Client) -> Repository | None:
    """Return the local whose publishers the reader may choose, where the client is CI."""
    is_ci = client.slug in GROUPS["CI"] and any(
        each.block == Block.PUBLISH for each in client.snippets
    )
    return target if is_ci and target and may(principal, target, Role.ADMIN) else None


def _setting(
    request: HttpRequest, principal: Principal, repository: Repository, target: Repository | None
) -> Setting:
    """Return what snippets are filled with, but for the secret."""
    return Setting(
        base_url=settings.BASE_URL,
        repository=str(repository),
        user=principal.user.username if principal.user else "",
        project=_project(request, target or repository),
        may_publish=target is not None,
    )


def _project(request: HttpRequest, repository: Repository) -> str:
    """Return the project that the snippets install: the one asked for, else the newest here."""
    try:
        return parse_name(request.GET.get("project", ""))
    except NameRefused:
        newest = Project.objects.filter(repository=repository).order_by("-changed", "pk").first()
        return newest.normalized if newest else SOME_PROJECT


def _place(principal: Principal, repository: Repository) -> Membership | None:
    """Return the membership that a token for `repository` would hang on."""
    if principal.user is None or principal.token is not None:
        return None
    return principal.user.places.get(repository.tenant.slug)


def _make_token(
    form: SetUpTokenForm, place: Membership, repository: Repository, client: Client, *, by: Actor
) -> tuple[Token, str]:
    asked = form.cleaned_data
    return configure.create_token(
        membership=place,
        name=_token_name(client, repository),
        by=by,
        role=_ROLES[asked["purpose"]],
        repositories=[repository],
        expires_at=clock.now() + timedelta(days=asked["days"]),
    )


def _token_name(client: Client, repository: Repository) -> str:
    """Return what it is for and of which day: a second one is told from the first."""
    day = f", {clock.now():%Y-%m-%d}"
    return f"{client.name} for {repository}"[: _NAME_AT_MOST - len(day)] + day


def _groups(shown: list[Client]) -> list[tuple[str, list[Client]]]:
    found = (
        (name, [each for each in shown if each.slug in slugs]) for name, slugs in GROUPS.items()
    )
    return [(name, group) for name, group in found if group]
