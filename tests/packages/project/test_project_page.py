"""The page of a project and of its releases: locals, remotes and virtuals, for who may read."""

from __future__ import annotations

import gzip
import re
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate
from packages.describe import set_by_person
from packages.extraction.extract import extract_due
from packages.models import Distribution, FileDownloads, Project, Release, UpstreamPage
from repos import configure
from repos.models import Kind
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.packages.fetching import settled
from tests.uploads import published, upload
from tests.upstreams import Reply, json_line, make_remote, serving

FROG = "/acme/local/project/frog/"


@pytest.fixture
def frogs(client: Client, cast: Cast) -> Cast:
    """Two releases of a project, seen by a signed-in reader."""
    headers = ["Summary: Frogs <b>for</b> units", "Project-URL: Bad, javascript:alert(1)",
               "Project-URL: Docs, https://example.org/docs", "Provides-Extra: pond",
               "Classifier: License :: OSI Approved :: MIT License"]  # fmt: skip
    needs = ["toad[wet]>1; python_version < '4'", "Water; extra == 'pond'", "newt"]
    for version in ("1.0", "1.1rc1"):
        # The rules for URLs are younger than this version of the metadata.
        file = make_wheel(
            "frog",
            version,
            metadata_version="1.2",
            extra_headers=headers,
            requires_dist=needs,
            description="<script>x</script>",
        )
        published(client, "frog", version, file, by=cast.acme.writer)
    published(client, "frog", "1.0", make_sdist("frog", "1.0"), by=cast.acme.writer)
    client.force_login(cast.acme.reader.user)
    return cast


def text_of(client: Client, url: str, status: int = HTTPStatus.OK) -> str:
    response = client.get(url)
    assert response.status_code == status, response.reason_phrase
    return re.sub(r"\s+", " ", unescape(response.content.decode()))


def test_a_project_shows_the_newest_final_release_and_what_it_says(
    client: Client, frogs: Cast
) -> None:
    page = text_of(client, "/acme/local/project/Frog/")
    assert '<span class="version">1.0</span>' in page
    assert "Frogs <b>for</b> units" in page  # unescaped here, and nowhere as a tag
    assert "<b>for</b>" not in client.get(FROG).content.decode()
    assert "<script>x" not in client.get(FROG).content.decode()
    assert 'href="javascript:' not in page
    assert 'href="https://example.org/docs"' in page
    assert "MIT License" in page
    assert "Shown as it was written until the archive is read" in page
    assert "files wait; extraction starts in" in page


def test_the_commands_name_this_repository_and_hold_no_secret(client: Client, frogs: Cast) -> None:
    page = text_of(client, FROG)
    index = "http://testserver/acme/local/simple/"
    signed = "http://__token__:TOKEN@testserver/acme/local/simple/"
    for command in (
        f"pip install --index-url {signed} frog<",
        f"uv pip install --default-index {signed} frog<",
        "Put your token in place of <code>TOKEN</code>.",
        f"poetry source add --priority=primary acme-local {index} poetry add frog<",
        f"pdm config --local pypi.url {index} pdm add frog<",
    ):
        assert command in page
    assert "extra-index" not in page
    assert f"{signed} frog==1.1rc1<" in text_of(client, f"{FROG}1.1rc1/")


def test_what_anyone_may_read_is_installed_without_a_token(client: Client, frogs: Cast) -> None:
    grant(frogs.acme.repository, Role.READER)
    for _ in range(2):
        page = text_of(client, FROG)
        assert "pip install --index-url http://testserver/acme/local/simple/ frog<" in page
        assert "TOKEN" not in page
        client.logout()


def test_a_local_names_a_virtual_that_shows_it_to_who_may_read_that(
    client: Client, frogs: Cast
) -> None:
    house = frogs.acme
    virtual = make_repository(house.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [house.repository], by=SYSTEM)
    assert "acme/virtual" not in text_of(client, FROG)
    grant(virtual, Role.READER, house.reader)
    page = text_of(client, FROG)
    link = '<a href="/acme/virtual/project/frog/">acme/virtual</a>'
    assert f"Also installed through {link}, with what it needs." in page
    assert "Also installed" not in text_of(client, "/acme/virtual/project/frog/")


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "v1", "1.1.RC.1"])
def test_a_release_is_found_by_any_spelling_of_its_version(
    client: Client, frogs: Cast, version: str
) -> None:
    found = "1.1rc1" if "RC" in version else "1.0"
    assert f'<span class="version">{found}</span>' in text_of(client, f"{FROG}{version}/")


@pytest.mark.parametrize("end", ["2.0/", "nonsense/", "%00/", "?tab=nonsense"])
def test_what_is_not_there_is_said_so(client: Client, frogs: Cast, end: str) -> None:
    text_of(client, f"{FROG}{end}", HTTPStatus.NOT_FOUND)


def test_a_version_that_is_not_there_is_named(client: Client, frogs: Cast) -> None:
    said = text_of(client, f"{FROG}2.0/", HTTPStatus.NOT_FOUND)
    assert "There is no version 2.0 of frog in acme/local." in said


@pytest.mark.parametrize("name", ["nothing", "-", "%00"])
def test_a_project_that_is_not_there(client: Client, frogs: Cast, name: str) -> None:
    text_of(client, f"/acme/local/project/{name}/", HTTPStatus.NOT_FOUND)


def test_files_are_split_into_built_and_source_and_lead_to_their_bytes(
    client: Client, frogs: Cast
) -> None:
    page = text_of(client, f"{FROG}?tab=files")
    assert page.index("Built") < page.index("Python 3; any platform") < page.index("Source")
    links = re.findall(r'href="(/acme/local/files/[^"]+)"', page)
    assert len(links) == 2
    for link in links:
        response = client.get(link)
        assert response.status_code == HTTPStatus.OK
        assert len(response.getvalue()) > 0


def test_states_are_told_first_with_reason_and_way_out(client: Client, frogs: Cast) -> None:
    wes, ada = frogs.acme.writer.principal, frogs.acme.admin.principal
    newest = f'{FROG}1.0/">Take 1.0</a>'
    page = text_of(client, f"{FROG}1.1rc1/")
    assert "pre-release</span>" in page
    assert newest in page
    curate.yank(Release.objects.get(version="1.1rc1"), reason="croaks", by=wes)
    project = Project.objects.get()
    curate.set_status(project, status=Project.Status.DEPRECATED, reason="use toad", by=ada)
    page = text_of(client, f"{FROG}1.1rc1/")
    assert page.index("Reason: use toad") < page.index("Reason: croaks") < page.index(newest)
    assert page.index(newest) < page.index("<h1")


def test_of_a_quarantined_project_only_the_reason_is_shown(client: Client, frogs: Cast) -> None:
    curate.set_status(
        Project.objects.get(),
        status=Project.Status.QUARANTINED,
        reason="it bites",
        by=frogs.acme.admin.principal,
    )
    page = text_of(client, FROG)
    assert "Reason: it bites" in page
    assert "pip install" not in page
    response = client.get(f"{FROG}1.0/")
    assert (response.status_code, response.headers["Location"]) == (HTTPStatus.FOUND, FROG)


def test_a_project_without_files_says_so(client: Client, frogs: Cast) -> None:
    for row in Distribution.objects.all():
        curate.delete(row, by=frogs.acme.admin.principal)
    assert "frog has no files in acme/local now" in text_of(client, FROG)


def test_requirements_stand_by_extra_and_link_what_is_here(client: Client, frogs: Cast) -> None:
    published(client, "toad", "2.0", make_wheel("toad", "2.0"), by=frogs.acme.writer)
    page = text_of(client, f"{FROG}?tab=requirements")
    assert 'href="/acme/local/project/toad/">toad</a> <code>[wet]</code>' in page
    assert 'python_version < "4"' in page
    assert "newt <span" in page  # and no link
    assert page.index("Always") < page.index("newt") < page.index("[pond]") < page.index("Water")
    assert "extra ==" not in page


def test_who_needs_it_is_told_as_far_as_the_reader_may_read(client: Client, frogs: Cast) -> None:
    secret = make_repository(frogs.acme.tenant, "secret")
    grant(secret, Role.WRITER, frogs.acme.writer)
    for name, to in (("pond", "/acme/local/"), ("vault", "/acme/secret/")):
        file = make_wheel(name, "1.0", requires_dist=["Frog<2"])
        said = {"requires_dist": "Frog<2"}
        sent = upload(client, name, "1.0", file, by=frogs.acme.writer, to=to, change=said)
        assert sent.status_code == HTTPStatus.OK
    client.force_login(frogs.acme.reader.user)
    page = text_of(client, f"{FROG}?tab=needed-by")
    assert '/acme/local/project/pond/">pond</a>' in page
    assert "Frog<2" in page
    assert "vault" not in page
    client.force_login(frogs.acme.writer.user)
    assert "vault" in text_of(client, f"{FROG}?tab=needed-by")


def test_claimed_and_read_are_told_apart(client: Client, frogs: Cast, time: MovableClock) -> None:
    change = {"summary": "An old claim", "metadata_version": "2.1", "name": "frog"}
    file = make_wheel("frog", "3.0", extra_headers=["Summary: From inside"])
    upload(client, "frog", "3.0", file, by=frogs.acme.writer, change=change)
    waiting = text_of(client, f"{FROG}3.0/?tab=info")
    time.move(minutes=2)
    assert extract_due() > 0
    read = text_of(client, f"{FROG}3.0/?tab=info")
    for page in (waiting, read):
        assert "“An old claim” was sent, the archive says “From inside”." in page
    assert "differ in 1 point. " in text_of(client, f"{FROG}3.0/")


def test_properties_of_people_come_first(client: Client, frogs: Cast) -> None:
    for row in Distribution.objects.filter(release__version="1.0"):
        set_by_person(row, {"qa.approved": ["yes"]}, by=SYSTEM)
    page = text_of(client, f"{FROG}?tab=properties")
    assert page.index("qa.approved") < page.index("pypi.name")
    assert "all files" in page


def test_downloads_are_shown_for_the_days_that_are_asked_for(
    client: Client, frogs: Cast, time: MovableClock
) -> None:
    row = Distribution.objects.get(filename="frog-1.0-py3-none-any.whl")
    FileDownloads.objects.create(
        distribution=row, day=clock.now().date(), count=7, last_at=clock.now()
    )
    assert "7 on 2026-11-20" in text_of(client, f"{FROG}?tab=activity")
    assert "7 in 365 days" in text_of(client, f"{FROG}?tab=activity&days=365")
    assert "Nobody has downloaded" in text_of(client, f"{FROG}1.1rc1/?tab=activity")
    assert ">wes<" in text_of(client, f"{FROG}?tab=activity")
    grant(frogs.acme.repository, Role.READER)
    client.logout()
    assert ">wes<" not in text_of(client, f"{FROG}?tab=activity")


def test_five_thousand_files_stay_a_small_page(client: Client, frogs: Cast) -> None:
    row = Distribution.objects.get(filename="frog-1.0-py3-none-any.whl")
    project = Project.objects.get()
    now = clock.now()
    releases = Release.objects.bulk_create(
        Release(
            project=project,
            version=f"0.{at}",
            canonical=f"0.{at}",
            version_key=f"a0b{at:05}",
            created_at=now,
        )
        for at in range(2500)
    )
    Distribution.objects.bulk_create(
        Distribution(
            repository=row.repository,
            release=release,
            blob=row.blob,
            path=f"{release.version}/{kind}",
            filename=f"frog-{release.version}-py{kind}-none-any.whl",
            identity=f"frog {release.version} {kind}",
            kind="wheel",
            size=row.size,
            sha256=row.sha256,
            uploaded_at=now,
        )
        for release in releases
        for kind in (2, 3)
    )
    for tab in ("readme", "files", "versions"):
        response = client.get(f"{FROG}?tab={tab}")
        assert response.status_code == HTTPStatus.OK
        assert len(gzip.compress(response.content)) < 150_000
    older = re.search(r'href="(\?tab=versions[^"]*after[^"]+)"', response.content.decode())
    assert older is not None
    assert ">0.2400<" in text_of(client, f"{FROG}{unescape(older[1])}")


@pytest.mark.parametrize(
    "tab",
    ["readme", "info", "files", "versions", "requirements", "needed-by", "properties", "activity",
     "manage"],
)  # fmt: skip
def test_a_page_of_a_local_costs_twelve_questions_at_most(
    client: Client, frogs: Cast, django_assert_max_num_queries: Any, tab: str
) -> None:
    client.force_login(frogs.acme.admin.user)
    for url in (FROG, f"{FROG}1.0/"):
        with django_assert_max_num_queries(12):
            text_of(client, f"{url}?tab={tab}")


def test_a_virtual_shows_what_its_reader_may_see_and_where_it_is_from(
    client: Client, frogs: Cast
) -> None:
    house = frogs.acme
    virtual = make_repository(house.tenant, "virtual", Kind.VIRTUAL)
    secret = make_repository(house.tenant, "secret")
    grant(secret, Role.WRITER, house.writer)
    published(client, "frog", "9.0", make_wheel("frog", "9.0"), by=house.writer, to="/acme/secret/")
    configure.set_members(virtual, [secret, house.repository], by=SYSTEM)
    grant(virtual, Role.READER, house.reader)
    grant(virtual, Role.READER, house.writer)
    client.force_login(house.reader.user)
    url = "/acme/virtual/project/frog/"
    pages = [text_of(client, f"{url}?tab={tab}") for tab in ("readme", "files", "versions")]
    for page in pages:
        assert "frog/9.0/" not in page
        assert "frog-9.0" not in page
        assert "secret" not in page
    assert 'from <a href="/acme/local/project/frog/">acme/local</a>' in pages[1]
    text_of(client, f"{url}9.0/", HTTPStatus.NOT_FOUND)
    client.force_login(house.writer.user)
    assert "/acme/secret/project/frog/" in text_of(client, f"{url}9.0/?tab=files")
    assert "tab=manage" not in text_of(client, url)


def test_a_remote_lists_what_is_held_and_what_is_not_and_never_waits_when_something_is_kept(
    client: Client, cast: Cast, time: MovableClock, transactional_db: None
) -> None:
    with serving() as server:
        wheel = make_wheel("frog", "1.0")
        server.add_files("frog", wheel)
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER)
        url = "/acme/remote/project/frog/"
        assert "upstream</span>" in text_of(client, f"{url}?tab=files")
        assert "holds nothing of it yet" in text_of(client, url)
        client.get(f"/acme/remote/files/frog/{wheel[0]}").getvalue()
        settled()
        assert "pending</span>" in text_of(client, f"{url}?tab=files")
        time.move(days=1)
        server.always = Reply(status=503)
        assert "stale" not in text_of(client, url)  # shown at once, and asked beside that
        settled()
        page = text_of(client, url)
        assert "stale</span>" in page
        assert "it answered 503" in page
        text_of(client, "/acme/remote/project/toad/", HTTPStatus.SERVICE_UNAVAILABLE)


def test_what_is_held_is_shown_when_upstream_has_never_answered(
    client: Client, cast: Cast, time: MovableClock, transactional_db: None
) -> None:
    with serving() as server:
        wheel = make_wheel("frog", "1.0")
        server.add_page("frog", [json_line(*wheel)])
        server.add_files("frog", wheel)
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER)
        client.get(f"/acme/remote/files/frog/{wheel[0]}").getvalue()
        settled()
        UpstreamPage.objects.all().delete()
        server.always = Reply(status=503)
        page = text_of(client, "/acme/remote/project/frog/", HTTPStatus.SERVICE_UNAVAILABLE)
        assert "offline</span> What follows is what Larder holds" in page
        assert '<span class="version">1.0</span>' in page
