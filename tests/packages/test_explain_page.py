"""The page that explains: the same as the command and as the served page, with ways to settings."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.explain import explain
from packages.filenames import parse_name
from packages.models import Distribution, Project, Release
from repos import configure
from repos.models import Claim, Repository
from tests.attested import attest
from tests.cast import Cast, grant, make_repository
from tests.dists import make_sdist, make_wheel
from tests.uploads import published
from tests.virtuals import make_remote, make_virtual, put_file

WHEEL = "frog-1.0-py3-none-any.whl"


@pytest.fixture
def virtual(client: Client, cast: Cast) -> Repository:
    """Two locals that have the same file, one that ray may not read, and a remote kept out."""
    other = make_repository(cast.acme.tenant, "other")
    closed = make_repository(cast.acme.tenant, "closed")
    remote = make_remote(cast.acme, "remote")
    made = make_virtual(cast.acme, "all", [other, cast.acme.repository, closed, remote])
    for repository in (other, cast.acme.repository, closed):
        wheel = make_wheel("frog", "1.0", files={"whose.py": str(repository).encode()})
        by = cast.acme.admin
        published(Client(), "frog", "1.0", wheel, by=by, to=f"/{repository}/")
    for each in (made, other, remote):
        grant(each, Role.READER, cast.acme.reader)
    return made


def cells(page: str, section: str) -> list[list[str]]:
    """Return the words in a table's cells, row by row."""
    rows = BeautifulSoup(page, "html.parser").select(f"[aria-labelledby={section}] tbody tr")
    return [
        [re.sub(r"\s+", " ", each.get_text(" ", strip=True)) for each in row.select("th, td")]
        for row in rows
    ]


def ask(client: Client, path: str = "/acme/all/-/explain/?project=frog") -> str:
    answer = client.get(path)
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


def test_each_file_that_one_may_see_is_there_with_its_cause(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    client.force_login(cast.acme.reader.user)
    page = ask(client)
    why = "acme/other comes first and has other bytes under this name"
    assert cells(page, "lines") == [
        [WHEEL, "acme/other", "shown", "takes it"],
        [WHEEL, "acme/local", f"hidden {why}", ""],
    ]
    assert cells(page, "members") == [
        ["acme/other", "local", "1 shown"],
        ["acme/local", "local", "0 shown, 1 hidden"],
        ["A repository that you may not read", "", "hidden you may not read it"],
        ["acme/remote", "remote", "hidden kept out: the name is kept by acme/other"],
    ]
    assert "acme/closed" not in page
    assert "1 file shown, 1 hidden" in page
    assert "/admin/" not in page.replace("/admin/logout", "")


def test_it_says_what_the_command_says_and_what_the_page_serves(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    client.force_login(cast.acme.reader.user)
    lines = explain(virtual, parse_name("frog"), cast.acme.reader.principal)
    told = {
        (line.file.filename, line.source, f"hidden {line.why}" if line.why else "shown")
        for line in lines
        if line.file is not None
    }
    page = ask(client)
    assert {(row[0], row[1], row[2]) for row in cells(page, "lines")} == told
    served = client.get("/acme/all/simple/frog/").content.decode()
    assert re.findall(r">([^<>]+\.whl)<", served) == [
        row[0] for row in cells(page, "lines") if row[2] == "shown"
    ]


def test_whoever_administers_is_led_to_the_setting_that_decides(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    client.force_login(cast.acme.admin.user)
    links = BeautifulSoup(ask(client), "html.parser").select("a.setting")
    assert [each.get_text() for each in links] == [
        "names also from upstream (acme/all)",
        "the order of members (acme/all)",
        "the order of members (acme/all)",
    ]
    for each in links:
        assert client.get(str(each["href"])).status_code == HTTPStatus.OK
    client.force_login(cast.acme.reader.user)
    assert not BeautifulSoup(ask(client), "html.parser").select("a.setting")


def test_every_cause_leads_to_a_page_that_opens(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    other = Repository.objects.select_related("tenant").get(tenant__slug="acme", key="other")
    configure.add_claim(Claim(repository=other, pattern="toad"), by=SYSTEM)
    put_file(cast.acme.repository, "toad", "1.0")
    by = cast.acme.admin.principal
    project = Project.objects.get(repository=other, normalized="frog")
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="", by=by)
    client.force_login(cast.acme.admin.user)
    found: dict[str, str] = {}
    for name in ("frog", "toad"):
        page = BeautifulSoup(ask(client, f"/acme/all/-/explain/?project={name}"), "html.parser")
        found |= {each.get_text(): str(each["href"]) for each in page.select("a.setting")}
    assert {"the claim (acme/other)", "the project's status (acme/other)"} <= found.keys()
    for url in found.values():
        assert client.get(url).status_code == HTTPStatus.OK, url


def test_pip_takes_what_fits_the_chosen_machine_and_says_why(client: Client, cast: Cast) -> None:
    by = cast.acme.writer
    for version, tag in (("1.0", "py3-none-any"), ("2.0", "cp312-cp312-win_amd64")):
        published(Client(), "frog", version, make_wheel("frog", version, tag=tag), by=by)
    published(Client(), "frog", "0.9", make_sdist("frog", "0.9"), by=by)
    client.force_login(cast.acme.reader.user)
    path = "/acme/local/-/explain/?project=frog&python=3.12&platform="
    linux = unescape(ask(client, f"{path}linux-x86-64"))
    assert (
        "For Python 3.12 on Linux x86-64 pip takes <code>frog-1.0-py3-none-any.whl</code>, "
        "because 1.0 is the newest version that fits Python 3.12 on Linux x86-64"
    ) in linux
    none_fits = "no: none of its tags fits Python 3.12 on Linux x86-64"
    assert {row[0]: row[3] for row in cells(linux, "lines")} == {
        "frog-2.0-cp312-cp312-win_amd64.whl": none_fits,
        "frog-1.0-py3-none-any.whl": "takes it",
        "frog-0.9.tar.gz": "no: 1.0 is newer",
    }
    assert "pip takes <code>frog-2.0-cp312" in ask(client, f"{path}windows-x86-64")
    Release.objects.update(yanked=True, yanked_reason="it croaks")
    nothing = ask(client, f"{path}linux-x86-64")
    assert "pip finds nothing to install: what fits is yanked" in nothing
    assert "it croaks" in nothing


def test_a_local_tells_what_it_has_and_withholds(client: Client, cast: Cast) -> None:
    by = cast.acme.admin
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=by)
    client.force_login(cast.acme.reader.user)
    path = "/acme/local/-/explain/?project=frog"
    assert cells(ask(client, path), "members") == [["acme/local", "local", "1 shown"]]
    project = Project.objects.get(normalized="frog")
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="", by=by.principal)
    assert cells(ask(client, path), "lines") == [
        [WHEEL, "acme/local", "hidden it is quarantined in acme/local", ""]
    ]
    curate.set_status(project, status=Project.Status.ACTIVE, reason="", by=by.principal)
    curate.delete(Distribution.objects.get(filename=WHEEL), by=by.principal)
    assert "There is no file of frog that you may see" in ask(client, path)


def test_a_remote_that_claims_the_name_or_is_away_is_explained_too(
    client: Client, cast: Cast
) -> None:
    remote = make_remote(cast.acme, "remote", offline=True)
    configure.add_claim(Claim(repository=remote, pattern="frog"), by=SYSTEM)
    grant(remote, Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    page = ask(client, "/acme/remote/-/explain/?project=frog")
    offline = "acme/remote is offline and has kept no page of frog"
    assert cells(page, "members") == [
        ["acme/remote", "remote", f"hidden kept out: acme/remote cannot be asked now: {offline}"]
    ]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 200, "Enter a project's name"),
        ("?project=", 400, "This field is required."),
        ("?project=-x-", 400, "is not a project name"),
        ("?project=frog&python=2.7", 400, "Select a valid choice."),
        ("?project=frog&platform=amiga", 400, "Select a valid choice."),
        ("?project=nothing-here", 200, "There is no file of nothing-here that you may see"),
        ("?project=" + "x" * 300, 400, "at most 200 characters"),
        ("?project=a%00b", 400, "Null characters are not allowed."),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_so(
    client: Client, cast: Cast, query: str, status: int, says: str
) -> None:
    client.force_login(cast.acme.reader.user)
    answer = client.get(f"/acme/local/-/explain/{query}")
    assert answer.status_code == status
    assert says in unescape(answer.content.decode())


def test_a_virtual_without_members_says_so(client: Client, cast: Cast) -> None:
    grant(make_virtual(cast.acme, "bare"), Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    assert "No members yet." in ask(client, "/acme/bare/-/explain/?project=frog")


def test_many_files_come_in_pages_and_cost_no_more_questions(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    path = "/acme/local/-/explain/?project=frog"
    put_file(cast.acme.repository, "frog", "0.1")
    counts = []
    for versions in (range(1), range(1, 250)):
        with CaptureQueriesContext(connection) as asked:
            page = ask(client, path)
        counts.append(len(asked))
        for number in versions:
            put_file(cast.acme.repository, "frog", f"1.{number}")
    page = ask(client, path)
    assert counts[0] == counts[1] <= 14
    assert len(cells(page, "lines")) == 200
    assert "?project=frog&amp;page=2" in page
    assert len(cells(ask(client, f"{path}&page=2"), "lines")) == 51
    assert "251 files shown, 0 hidden" in page


def test_nobody_hears_more_of_a_virtual_here_than_on_its_pages(
    cast: Cast, virtual: Repository
) -> None:
    """Anyone may read the virtual and not all beneath it: its pages ask them to sign in."""
    grant(virtual, Role.READER)
    for project in ("frog", "company-tool"):
        answer = Client().get(f"/acme/all/-/explain/?project={project}")
        assert answer.status_code == HTTPStatus.FOUND
        assert "/accounts/sign-in/" in answer.headers["Location"]


def test_an_attested_line_says_by_whom_and_where_its_provenance_is(
    client: Client, cast: Cast, virtual: Repository
) -> None:
    row = Distribution.objects.get(repository=cast.acme.repository)
    other = Distribution.objects.get(repository__key="other")
    for each in (row, other):
        attest(each)
    client.force_login(cast.acme.reader.user)
    page = ask(client)
    by = "attested by GitHub: Octo/frog"
    shown, hidden = cells(page, "lines")
    assert (shown[0], hidden[0]) == (f"{WHEEL} attested", f"{WHEEL} attested")
    assert shown[2] == f"shown {by}: its provenance"
    assert hidden[2].endswith(f"has other bytes under this name {by}")
    url = f"/acme/all/files/frog/{other.sha256}/{WHEEL}.provenance"
    assert f'href="{url}"' in page
    assert client.get(url).status_code == HTTPStatus.OK
    Distribution.objects.update(has_provenance=False)
    assert cells(ask(client), "lines")[0][2] == f"shown {by}, of which no provenance tells"


def test_the_same_by_rest_and_in_the_command_s_words(
    client: Client, cast: Cast, virtual: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    attest(Distribution.objects.get(repository=cast.acme.repository))
    path = "/api/v1/repositories/acme/{}/explain?project=frog"
    (line,) = client.get(path.format("local"), headers=cast.acme.reader.headers).json()["lines"]
    assert line["attested_by"] == "GitHub: Octo/frog"
    assert line["provenance"].endswith(f"{WHEEL}.provenance")
    lines = client.get(path.format("all"), headers=cast.acme.reader.headers).json()["lines"]
    (hidden,) = (each for each in lines if each["attested_by"])
    assert (hidden["is_shown"], hidden["provenance"]) == (False, None)
    call_command("explain", "acme/local", "frog")
    assert capsys.readouterr().out.rstrip().endswith("shown; attested by GitHub: Octo/frog")
