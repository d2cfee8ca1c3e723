"""Uploads through a virtual: where they go, who may, and what the answer says."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import Distribution
from repos import configure
from repos.models import Claim, Kind, Repository, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.dists import make_wheel
from tests.uploads import upload
from tests.virtuals import make_virtual

URL = "/acme/virtual/"


def pass_on(virtual: Repository, local: Repository | None) -> None:
    settings = VirtualSettings.objects.filter(repository=virtual).first()
    settings = settings or VirtualSettings(repository=virtual)
    settings.deployment = local
    configure.save_virtual(settings, by=SYSTEM)


@pytest.fixture
def virtual(cast: Cast) -> Repository:
    """A virtual over acme's local that passes uploads on to it; wes may read it."""
    inner = make_virtual(cast.acme, "inner", [cast.acme.repository])
    made = make_virtual(cast.acme, "virtual", [inner])
    pass_on(made, cast.acme.repository)
    grant(made, Role.READER, cast.acme.writer)
    grant(made, Role.READER, cast.acme.reader)
    return made


def send(client: Client, by, version: str = "1.0", to: str = URL):
    return upload(client, "frog", version, make_wheel("frog", version), by=by, to=to)


def test_an_upload_goes_to_the_local_that_the_virtual_names(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    response = send(client, cast.acme.writer)
    assert (response.status_code, response.content) == (HTTPStatus.OK, b"")
    assert Distribution.objects.get().repository == cast.acme.repository
    again = send(client, cast.acme.writer)
    assert again.content == b"The same file was here already; nothing was changed.\n"


def test_without_such_a_local_it_is_refused(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    pass_on(virtual, None)
    response = send(client, cast.acme.writer)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "passes uploads on to none of its members" in response.reason_phrase
    # It was there when it was set, and has been taken out since.
    pass_on(virtual, cast.acme.repository)
    configure.set_members(Repository.objects.get(key="inner"), [], by=SYSTEM)
    assert send(client, cast.acme.writer).status_code == HTTPStatus.BAD_REQUEST
    assert not Distribution.objects.exists()


def test_the_caller_reads_the_virtual_and_writes_to_the_local(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    answers = {
        who: send(client, person)
        for who, person in (
            ("nobody", None),
            ("only reads both", cast.acme.reader),
            ("has no grant", cast.acme.member),
            ("belongs elsewhere", cast.globex.writer),
        )
    }
    assert {who: answer.status_code for who, answer in answers.items()} == {
        "nobody": 401,
        "only reads both": 403,
        "has no grant": 403,
        "belongs elsewhere": 403,
    }
    assert "not publish to it" in answers["only reads both"].reason_phrase
    # Whoever may only read the virtual is not told what is beneath it in another tenant.
    grant(virtual, Role.READER)
    refused = send(client, cast.globex.writer)
    assert refused.reason_phrase == "You may read acme/virtual but not publish through it."
    assert not Distribution.objects.exists()


def test_a_token_for_the_virtual_deploys_through_it(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    wes = cast.acme.writer
    configure.limit_token(wes.token, [virtual], by=SYSTEM)
    assert send(client, wes).status_code == HTTPStatus.OK
    assert send(client, wes, to="/acme/local/").status_code == HTTPStatus.FORBIDDEN
    wes.token.project_patterns = ["toad"]
    configure.limit_token(wes.token, [virtual], by=SYSTEM)
    assert send(client, wes, "2.0").status_code == HTTPStatus.FORBIDDEN
    wes.token.project_patterns, wes.token.role = [], Role.READER
    configure.limit_token(wes.token, [virtual], by=SYSTEM)
    refused = send(client, wes, "2.0")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "with this token" in refused.reason_phrase
    assert Distribution.objects.count() == 1


def test_the_answer_names_each_virtual_that_hides_the_file(client: Client, cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "other")
    make_virtual(cast.acme, "virtual", [other, cast.acme.repository])
    make_virtual(cast.acme, "shows-it", [cast.acme.repository])
    configure.add_claim(Claim(repository=other, pattern="frog"), by=SYSTEM)
    ada, wes = cast.acme.admin, cast.acme.writer
    told = send(client, ada, to="/acme/local/").content.decode()
    assert told == (
        "acme/virtual does not show frog-1.0-py3-none-any.whl: the name is claimed by acme/other.\n"
    )
    # Only of virtuals that one may read, and only whom one may know of.
    assert send(client, wes, "2.0", to="/acme/local/").content == b""
    grant(Repository.objects.get(key="virtual"), Role.READER, wes)
    told = send(client, wes, "3.0", to="/acme/local/").content.decode()
    assert told.endswith("the name is claimed by a repository that you may not read.\n")


def test_the_settings_of_a_virtual_are_checked_and_audited(cast: Cast) -> None:
    beside = make_repository(cast.acme.tenant, "beside")
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    for target in (beside, remote, virtual):
        with pytest.raises(ValidationError, match="not a local repository beneath acme/virtual"):
            pass_on(virtual, target)
    with pytest.raises(ValidationError, match="Only a virtual"):
        configure.save_virtual(VirtualSettings(repository=beside), by=SYSTEM)
    pass_on(virtual, cast.acme.repository)
    pass_on(virtual, None)
    created, changed = AuditEvent.objects.filter(action__startswith="virtual.").order_by("pk")
    assert created.after == {"merge": "all", "deployment": "acme/local"}
    assert (changed.before["deployment"], changed.after["deployment"]) == ("acme/local", "")
