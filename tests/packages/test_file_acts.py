"""What is done to a file from its own page, and who sees one that nobody gets."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from accounts.roles import Role
from base.models import AuditEvent
from packages import curate
from packages.models import Distribution, Project
from tests.cast import Cast, grant, make_member
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.packages.opened import publish
from tests.virtuals import make_virtual

WHEEL = "frog-1.0-py3-none-any.whl"
PROJECT = "/acme/local/project/frog/"
PAGE = f"{PROJECT}1.0/{WHEEL}/"
UNNAMED = "/acme/local/-/unlisted/odd/frog.zip/"


@pytest.fixture
def frog(cast: Cast, time: MovableClock) -> Distribution:
    """A wheel in acme/local."""
    publish("frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    return Distribution.objects.select_related("release__project", "repository__tenant").get()


def send(client: Client, do: str, url: str = PAGE, **fields: str) -> Any:
    return client.post(url, {"do": do} | {f"{do}-{name}": fields[name] for name in fields})


def told(client: Client, url: str, status: int = 200) -> str:
    """Return the words of the page, each once between spaces."""
    answer = client.get(url)
    assert answer.status_code == status
    return " ".join(BeautifulSoup(answer.content, "html.parser").get_text(" ").split())


def offered(client: Client, url: str) -> set[str]:
    """Return what the buttons of the page do."""
    page = BeautifulSoup(client.get(url).content, "html.parser")
    return {str(button["value"]) for button in page.select("button[name=do]")}


def test_a_writer_yanks_a_file_with_its_reason_and_takes_it_back(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    client.force_login(cast.acme.writer.user)
    done = send(client, "yank", reason="torn", typed="frog")
    assert done.headers["Location"] == f"{PAGE}?tab=manage"
    frog.refresh_from_db()
    assert (frog.yanked, frog.yanked_reason) == (True, "torn")
    assert offered(client, f"{PAGE}?tab=manage") == {"unyank"}
    event = AuditEvent.objects.get(action="contents.yank")
    assert (event.actor, event.subject) == ("wes", f"acme/local/{WHEEL}")
    send(client, "unyank")
    frog.refresh_from_db()
    assert not frog.yanked


@pytest.mark.parametrize(
    ("do", "fields", "says"),
    [
        ("yank", {"reason": "torn", "typed": "toad"}, "Type frog here to go on."),
        ("yank", {"reason": " ", "typed": "frog"}, "This field is required."),
        ("delete", {"typed": WHEEL}, "Type frog here to go on."),
    ],
)
def test_a_form_that_is_not_filled_in_well_changes_nothing_of_the_file(
    client: Client, cast: Cast, frog: Distribution, do: str, fields: dict[str, str], says: str
) -> None:
    client.force_login(cast.acme.admin.user)
    answer = send(client, do, **fields)
    assert answer.status_code == 400
    page = BeautifulSoup(answer.content, "html.parser")
    assert [error.get_text() for error in page.select(".field-error")] == [says]
    assert page.select(".file-tabs [aria-current]")[0].get_text() == "Manage"
    frog.refresh_from_db()
    assert (frog.yanked, frog.deleted_at) == (False, None)


def test_an_administrator_deletes_a_file_and_restores_it_from_its_page(
    client: Client, cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    client.force_login(cast.acme.admin.user)
    assert send(client, "delete", typed="frog").status_code == 302
    time.move(days=2)
    page = told(client, PAGE)
    assert "ago by ada . Installers do not see it" in page
    assert "It can be restored until 2026-12-20 ; then its bytes go." in page
    assert "pip install" not in page
    assert offered(client, PAGE) == {"restore"}
    assert client.get(f"/acme/local/files/frog/{WHEEL}").status_code == 404
    assert WHEEL in told(client, f"{PROJECT}?tab=manage")
    send(client, "restore")
    frog.refresh_from_db()
    assert frog.deleted_at is None
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))[-2:] == [
        "contents.delete",
        "contents.restore",
    ]
    assert "Nobody is kept from any file of frog" in told(client, f"{PROJECT}?tab=manage")


def test_everybody_else_hears_of_a_deleted_file_what_they_heard(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    grant(make_virtual(cast.acme, "all", [cast.acme.repository]), Role.ADMIN, cast.acme.writer)
    curate.delete(frog, by=cast.acme.admin.principal)
    for person in (cast.acme.reader, cast.acme.writer):
        client.force_login(person.user)
        assert f"{WHEEL} was deleted from acme/local." in told(client, PAGE, status=404)
        assert send(client, "restore").status_code == 404
    # To administer a virtual is not to administer what is beneath it.
    told(client, PAGE.replace("/local/", "/all/"), status=404)
    frog.refresh_from_db()
    assert frog.deleted_at is not None


def test_a_file_whose_bytes_are_gone_has_no_page(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    curate.delete(frog, by=cast.acme.admin.principal)
    Distribution.objects.update(blob=None)
    client.force_login(cast.acme.admin.user)
    told(client, PAGE, status=404)
    told(client, PAGE.replace("/1.0/", "/2.0/"), status=404)


def test_a_quarantined_file_is_seen_by_who_may_end_that(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    project, by = Project.objects.get(), cast.acme.admin.principal
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="worms", by=by)
    client.force_login(cast.acme.admin.user)
    page = told(client, PAGE)
    assert "ago by ada . All of frog is" in page
    assert "Reason: worms" in page
    assert "Change its status" in page
    assert client.get(f"/acme/local/files/frog/{WHEEL}").status_code == 403
    assert WHEEL in told(client, f"{PROJECT}?tab=manage")
    for person in (cast.acme.reader, cast.acme.writer):
        client.force_login(person.user)
        assert "is quarantined: worms" in told(client, PAGE, status=403)
    client.force_login(cast.acme.writer.user)
    assert WHEEL not in told(client, f"{PROJECT}?tab=manage")


def test_what_one_may_not_do_is_not_offered_and_refused(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    client.force_login(cast.acme.writer.user)
    assert offered(client, f"{PAGE}?tab=manage") == {"yank"}
    assert send(client, "delete", typed="frog").status_code == 403
    client.force_login(cast.acme.reader.user)
    assert "Manage" not in told(client, f"{PAGE}?tab=manage")
    assert send(client, "yank", reason="torn", typed="frog").status_code == 403
    frog.refresh_from_db()
    assert (frog.yanked, frog.deleted_at) == (False, None)


def test_what_is_not_so_cannot_be_ended(client: Client, cast: Cast, frog: Distribution) -> None:
    client.force_login(cast.acme.admin.user)
    for do in ("unyank", "restore", "lift", "drop", "nonsense"):
        assert send(client, do, typed="frog").status_code == 302
        assert "That cannot be done here now. Look at the page again." in told(client, PAGE)


def test_through_a_virtual_a_file_is_seen_and_not_managed(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    grant(make_virtual(cast.acme, "all", [cast.acme.repository]), Role.READER, cast.acme.writer)
    client.force_login(cast.acme.writer.user)
    through = PAGE.replace("/local/", "/all/")
    page = BeautifulSoup(client.get(f"{through}?tab=manage").content, "html.parser")
    assert "Manage" not in page.select(".file-tabs")[0].get_text()
    assert page.select(f"a[href='{PAGE}']")
    send(client, "yank", through, reason="torn", typed="frog")
    frog.refresh_from_db()
    assert not frog.yanked


def test_a_file_without_a_name_is_deleted_and_restored_at_its_path(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    unlisted = Distribution.Extraction.UNLISTED
    Distribution.objects.update(
        release=None, extraction=unlisted, path="odd/frog.zip", filename="frog.zip"
    )
    client.force_login(cast.acme.admin.user)
    assert offered(client, f"{UNNAMED}?tab=manage") == {"delete"}
    send(client, "delete", UNNAMED, typed="frog.zip")
    assert offered(client, UNNAMED) == {"restore"}
    client.force_login(cast.acme.reader.user)
    told(client, UNNAMED, status=404)
    client.force_login(cast.acme.admin.user)
    send(client, "restore", UNNAMED)
    frog.refresh_from_db()
    assert frog.deleted_at is None


def test_an_administrator_of_the_repository_alone_deletes_and_restores(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    kim = make_member("kim", cast.acme.tenant)
    grant(cast.acme.repository, Role.ADMIN, kim)
    client.force_login(kim.user)
    assert offered(client, f"{PAGE}?tab=manage") == {"yank", "delete"}
    assert send(client, "delete", typed="frog").status_code == 302
    assert offered(client, PAGE) == {"restore"}


def test_a_file_without_a_name_is_given_to_its_readers_by_its_path(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    unlisted, raw = Distribution.Extraction.UNLISTED, "/acme/local/-/raw/odd/frog.zip"
    assert frog.release is not None
    named = {"release": frog.release, "path": frog.path, "filename": frog.filename}
    row = {"release": None, "path": "odd/frog.zip", "filename": "frog.zip"}
    Distribution.objects.update(extraction=unlisted, **row)
    client.force_login(cast.acme.reader.user)
    page = BeautifulSoup(client.get(UNNAMED).content, "html.parser")
    assert page.select(".heading .actions a")[0]["href"] == raw
    answer = client.get(raw)
    assert b"".join(answer) == make_wheel("frog", "1.0")[1]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="frog.zip"'
    part = client.get(raw, headers={"Range": "bytes=0-3"})
    assert (part.status_code, len(b"".join(part))) == (206, 4)
    for person, status in ((cast.acme.member, 403), (cast.stranger, 403)):
        client.force_login(person.user)
        assert client.get(raw).status_code == status
    client.force_login(cast.acme.admin.user)
    send(client, "delete", UNNAMED, typed="frog.zip")
    assert client.get(raw).status_code == 404
    Distribution.objects.update(deleted_at=None, **named)
    moved = client.get(f"/acme/local/-/raw/{frog.path}")
    assert moved.headers["Location"] == f"/acme/local/files/frog/{WHEEL}"


@pytest.mark.parametrize("tab", ["general", "info", "contents", "activity", "manage"])
def test_the_page_of_a_withheld_file_costs_twelve_questions_at_most(
    client: Client,
    cast: Cast,
    frog: Distribution,
    django_assert_max_num_queries: Any,
    tab: str,
) -> None:
    project, by = Project.objects.get(), cast.acme.admin.principal
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="worms", by=by)
    curate.delete(frog, by=by)
    client.force_login(cast.acme.admin.user)
    with django_assert_max_num_queries(12):
        assert "deleted" in told(client, f"{PAGE}?tab={tab}")


def deeds(client: Client, url: str) -> list[str]:
    """Return who did what, as the project's tab Activity tells it."""
    page = BeautifulSoup(client.get(f"{url}?tab=activity").content, "html.parser")
    return [
        " ".join(deed.get_text().split()) for deed in page.select("[aria-labelledby=deeds] .deed")
    ]


def test_the_activity_of_a_project_tells_its_administrators_what_was_done(
    client: Client, cast: Cast, frog: Distribution, django_assert_max_num_queries: Any
) -> None:
    publish("frogs", "1.0", make_wheel("frogs", "1.0"), by=cast.acme.writer)
    publish("frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    assert frog.release is not None
    curate.yank(frog.release, reason="croaks", by=cast.acme.writer.principal)
    curate.delete(frog, by=cast.acme.admin.principal)
    project, by = Project.objects.get(name="frog"), cast.superuser.principal
    curate.set_status(project, status=Project.Status.DEPRECATED, reason="old", by=by)
    client.force_login(cast.acme.admin.user)
    with django_assert_max_num_queries(12):
        done = deeds(client, PROJECT)
    assert done == [
        "root set the status of frog to deprecated",
        f"ada deleted {WHEEL}",
        "wes yanked frog 1.0",
        "wes published frog-2.0-py3-none-any.whl",
        f"wes published {WHEEL}",
    ]
    assert deeds(client, f"{PROJECT}2.0/") == [done[0], done[3]]
    page = told(client, f"{PROJECT}?tab=activity")
    assert "All of it in the audit of acme" in page
    # Most of all when nothing of it is given out.
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="worms", by=by)
    with django_assert_max_num_queries(12):
        assert deeds(client, PROJECT) == ["root set the status of frog to quarantined", *done]
    for person in (cast.acme.reader, cast.acme.writer):
        client.force_login(person.user)
        assert deeds(client, PROJECT) == []


def test_who_may_not_read_the_audit_is_led_to_the_activity_of_the_repository(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    kim = make_member("kim", cast.acme.tenant)
    grant(cast.acme.repository, Role.ADMIN, kim)
    client.force_login(kim.user)
    page = client.get(f"{PROJECT}?tab=activity").content.decode()
    assert "/acme/local/-/activity/" in page
    assert "/acme/-/audit/" not in page
