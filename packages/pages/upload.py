"""The page where people upload files by hand; it works in any browser, without scripts.

With them, each file is checked first, and published when the person says so.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import caller_of, signed_in
from base.bodies import body_of
from base.errors import LarderError
from packages.by_hand import ByHand, check, properties_in_lines, publish_by_hand
from packages.deploy import Deployed, deploy
from packages.extraction.waiting import waiting_in
from packages.filenames import EXTENSIONS, parse_name, parse_version
from packages.multipart_form import BrokenForm, MultipartForm, ReceivedFile
from packages.pages.frame import frame
from packages.pypi_properties import NAME, VERSION
from packages.visibility import hidden_above
from repos.targets import Target, admitted_to_upload, target_of_upload

_TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - the name of Django's field


Take = Callable[[HttpRequest, MultipartForm, ReceivedFile, Target], HttpResponse]


@csrf_exempt  # not left out: the token is a field of a form too large to be read whole, see below
@require_http_methods(["GET", "HEAD", "POST"])
def upload_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show the form to whoever may publish there, and take the file that it sends."""
    if request.method == "POST":
        return _receive(request, tenant, key, _take)
    come_in, target = admitted_to_upload(caller_of(request), tenant, key)
    context = {"local": target.repository, "endings": ",".join(EXTENSIONS)}
    return render(request, "packages/upload.html", frame(come_in) | context)


@csrf_exempt  # as above
@require_POST
def check_file(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Say what publishing one file would come to, as a piece of the page above; keep nothing."""
    return _receive(request, tenant, key, _check)


@csrf_exempt  # as above
@require_POST
def publish_file(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Publish one file that was checked, and say so in a piece of the page above."""
    return _receive(request, tenant, key, _publish)


def _receive(request: HttpRequest, tenant: str, key: str, take: Take) -> HttpResponse:
    """Read the form up to its file, see that a page of ours made it, and only then go on."""
    broken: BrokenForm | None = None
    form, file = None, None
    try:
        form = MultipartForm(request.headers.get("Content-Type", ""), body_of(request))
        file = form.file()
    except BrokenForm as refusal:  # told to whoever sent it from our page
        broken = refusal
    # All that the check asks for: reading it from the request would hold the file in memory.
    token = _first(form, _TOKEN) if form is not None else ""
    request.POST = QueryDict(urlencode({_TOKEN: token}))

    def go_on(request: HttpRequest) -> HttpResponse:
        if broken is not None:
            raise broken
        if form is None or file is None:
            raise BrokenForm("Choose a file to upload.")
        return take(request, form, file, target_of_upload(signed_in(request), tenant, key))

    answer: HttpResponse = csrf_protect(go_on)(request)
    return answer


def _check(
    request: HttpRequest, form: MultipartForm, file: ReceivedFile, target: Target
) -> HttpResponse:
    # A check that says no has done what was asked of it: this is its answer, and no refusal of it.
    context: dict[str, object]
    try:
        given = _by_hand(form, file)
        context = {"file": check(given, repository=target.repository, by=signed_in(request))}
    except LarderError as refused:
        context = {"refused": refused.sentence}
    return render(request, "packages/upload_checked.html", context)


def _publish(
    request: HttpRequest, form: MultipartForm, file: ReceivedFile, target: Target
) -> HttpResponse:
    by = signed_in(request)
    done = publish_by_hand(_by_hand(form, file), target=target, by=by)
    hidden = hidden_above(done.distribution, by=by)
    # Through the virtual it is installed with what it needs, unless that does not show it.
    shown_in = target.repository if hidden else target.through or target.repository
    return render(
        request,
        "packages/upload_published.html",
        {
            "repository": shown_in,
            "file": done.distribution,
            "created": done.created,
            "hidden": hidden,
        },
    )


def _by_hand(form: MultipartForm, file: ReceivedFile) -> ByHand:
    return ByHand(
        filename=file.filename,
        chunks=file.chunks,
        name=_first(form, "name"),
        version=_first(form, "version"),
        sha256=_first(form, "sha256"),
        properties=properties_in_lines(_first(form, "properties")),
        declared_size=file.declared_size,
    )


def _take(
    request: HttpRequest, form: MultipartForm, file: ReceivedFile, target: Target
) -> HttpResponse:
    name, version = (_first(form, field) for field in ("name", "version"))
    named = {field: [value] for field, value in ((NAME, name), (VERSION, version)) if value}
    done = deploy(
        repository=target.repository,
        path=_path(file.filename, name, version),
        chunks=file.chunks,
        properties=named | properties_in_lines(_first(form, "properties")),
        by=signed_in(request),
        through=target.through,
    )
    return _result(request, target, done)


def _first(form: MultipartForm, field: str) -> str:
    return next(iter(form.fields.get(field, ())), "").strip()


def _path(filename: str, name: str, version: str) -> str:
    """Return where the file goes: where an upload of that name would, else at the top."""
    if not name or not version:
        return filename
    return f"{parse_name(name)}/{parse_version(version)}/{filename}"


def _result(request: HttpRequest, target: Target, done: Deployed) -> HttpResponse:
    return render(
        request,
        "packages/uploaded.html",
        {
            "repository": target.through or target.repository,
            "local": target.repository,
            "file": done.distribution,
            "created": done.created,
            "waiting": waiting_in(target.repository),
        },
    )
