"""What pages tell of who built and published a file: by who vouches, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Issuer
from accounts.roles import Role
from packages.models import Distribution
from packages.pages.vouched import Vouched, Vouching
from packages.promotion import promote
from packages.provenance import Build
from repos.targets import target_of_upload
from tests.attested import COMMIT, HOME, upload_attested, verifying
from tests.cast import Cast, Member, basic, grant, make_repository
from tests.dists import make_sdist, make_wheel
from tests.publishers import exchanged, make_issuer, trust
from tests.signing import ISSUER
from tests.virtuals import make_virtual

HEADERS = [
    f"Project-URL: Source, {HOME.lower()}.git",
    "Project-URL: Changes, https://github.com/octo/frog-evil/releases",
]
WHEEL = make_wheel("frog", "1.0", extra_headers=HEADERS)
OTHER = make_wheel("frog", "2.0")
PROJECT = "/acme/local/project/frog/"
FILE = f"{PROJECT}1.0/{WHEEL[0]}/"
SAID = "said by the issuer"


@pytest.fixture
def frog(client: Client, cast: Cast) -> Cast:
    """A wheel that CI attested and published, and an sdist that somebody published."""
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    minted = exchanged(issuer, sha=COMMIT, run_id="12", environment="release")
    shows = basic("__token__", minted.secret)["Authorization"]
    with verifying():
        upload_attested(client, "1.0", WHEEL, by=None, Authorization=shows)
    upload_attested(client, "1.0", make_sdist("frog", "1.0"), by=cast.acme.writer, sent="")
    return cast


def shown(client: Client, path: str, by: Member | None) -> str:
    """Return the words of a page."""
    headers: Any = by.headers if by else {}
    answer = client.get(path, headers=headers | {"sec-fetch-mode": "navigate"})
    assert answer.status_code == 200, answer.content
    return " ".join(answer.content.decode().split())


def test_a_file_s_page_tells_verified_said_and_claimed_apart(client: Client, frog: Cast) -> None:
    page = shown(client, f"{FILE}?tab=security", frog.acme.reader)
    for words in (">verified<", f">{SAID}<", ">claimed<", "publish, SLSA provenance"):
        assert words in page
    assert f'href="{HOME}/commit/{COMMIT}"' in page
    assert f'href="{HOME}/blob/{COMMIT}/.github/workflows/release.yml"' in page
    assert f"{WHEEL[0]}.provenance" in page
    assert "https://ci.example/Octo/frog/actions/runs/12/attempts/1" in page
    # Of two addresses that the metadata names, an attestation bears out one.
    assert page.count("the attested source</span>") == 1
    assert "Checked when it was uploaded," in page
    general = shown(client, FILE, frog.acme.reader)
    assert "<dt>Built by</dt>" in general
    assert "<dt>Published by</dt>" in general
    assert "attested</span>" in general


def test_who_runs_ci_of_one_s_own_is_named_and_no_provenance_passes_it_for_the_public_one(
    client: Client, cast: Cast
) -> None:
    trust(cast.acme.repository, make_issuer())
    with verifying() as verifier:
        verifier.issuer, verifier.provenance = ISSUER, b""
        upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    reader = cast.acme.reader
    page = shown(client, f"{FILE}?tab=security", reader)
    assert "<dd>GitHub at ci.example</dd>" in page
    assert "readers would take it for that of the public GitHub, and not for ci.example" in page
    assert ".provenance" not in page
    project = shown(client, PROJECT, reader)
    assert '<span class="part">at ci.example</span>' in project
    assert "No provenance file tells of it" in project
    row = Distribution.objects.get()
    assert (row.is_attested, row.has_provenance) == (True, False)
    rest = f"/api/v1/repositories/acme/local/files/{row.pk}"
    assert client.get(rest, headers=reader.headers).json()["provenance"] is None
    told = client.get(f"{rest}/provenance", headers=reader.headers).json()["attestations"][0]
    assert (told["build"]["host"], told["build"]["issuer"]) == ("ci.example", ISSUER)
    assert (
        "provenance"
        not in client.get("/acme/local/simple/frog/", headers=reader.headers).content.decode()
    )
    beside = f"/acme/local/files/frog/{row.sha256}/{row.filename}.provenance"
    answer = client.get(beside, headers=reader.headers)
    assert answer.status_code == 404
    assert "by an issuer of one's own" in answer.reason_phrase


def test_a_file_that_nobody_vouches_for_says_so(client: Client, frog: Cast) -> None:
    page = shown(client, f"{PROJECT}1.0/frog-1.0.tar.gz/?tab=security", frog.acme.reader)
    assert "No attestations are known of it (PEP 740)" in page
    assert ">verified<" not in page


def test_a_project_s_page_tells_who_built_it_and_how_much(client: Client, frog: Cast) -> None:
    page = shown(client, PROJECT, frog.acme.reader)
    assert 'Built by <span class="badge fresh">verified</span>' in page
    assert f'Published by <span class="badge frost">{SAID}</span>' in page
    assert page.count("for 1 of 2 files") == 2
    assert "partly attested" in shown(client, f"{PROJECT}?tab=versions", frog.acme.reader)
    assert ">attested</span>" in shown(client, f"{PROJECT}?tab=files", frog.acme.reader)
    make_shelf(frog)
    through = shown(client, "/acme/shelf/project/frog/", frog.acme.reader)
    assert 'Built by <span class="badge fresh">verified</span>' in through


def make_shelf(cast: Cast) -> None:
    grant(make_virtual(cast.acme, "shelf", [cast.acme.repository]), Role.READER, cast.acme.reader)


def test_who_reads_what_anyone_may_read_is_told_what_is_attested_alone(
    client: Client, frog: Cast
) -> None:
    grant(frog.acme.repository, Role.READER)
    for path in (PROJECT, FILE, f"{FILE}?tab=security"):
        page = shown(client, path, None)
        assert ">verified<" in page
        assert SAID not in page
        assert "ci.example" not in page


def test_a_copy_names_where_it_was_checked_to_who_may_read_there(
    client: Client, frog: Cast
) -> None:
    production = make_repository(frog.acme.tenant, "production")
    for person in (frog.acme.reader, frog.acme.member):
        grant(production, Role.READER, person)
    admin = frog.acme.admin.principal
    row = Distribution.objects.select_related("repository__tenant", "release__project").get(
        filename=WHEEL[0]
    )
    promote(row, to=target_of_upload(admin, "acme", "production"), by=admin)
    path = f"/acme/production/project/frog/1.0/{WHEEL[0]}/?tab=security"
    both = shown(client, path, frog.acme.reader)
    assert 'Checked when it was uploaded to <a href="/acme/local/">acme/local</a>' in both
    one = shown(client, path, frog.acme.member)
    assert "Checked when it was uploaded to another repository," in one
    assert "acme/local" not in one


def test_who_has_not_signed_in_is_not_told_what_the_issuer_said_nor_that_it_said_nothing(
    client: Client, frog: Cast
) -> None:
    shows = basic("__token__", exchanged(Issuer.objects.get(), jti="another").secret)[
        "Authorization"
    ]
    upload_attested(client, "2.0", OTHER, by=None, sent="", Authorization=shows)
    grant(frog.acme.repository, Role.READER)
    page = shown(client, f"{PROJECT}2.0/{OTHER[0]}/?tab=security", None)
    assert "No attestations are known of it (PEP 740)." in page
    assert "not published by CI" not in page
    assert "Checked when it was uploaded" not in page
    rest = "/api/v1/repositories/acme/local/files/{}/provenance"
    first, second = (Distribution.objects.get(filename=each[0]) for each in (WHEEL, OTHER))
    told = client.get(rest.format(first.pk)).json()
    assert (told["published_by"], len(told["attestations"])) == (None, 2)
    assert told["checked_at"]
    told = client.get(rest.format(second.pk)).json()
    assert (told["published_by"], told["attestations"], told["checked_at"]) == (None, [], None)
    told = client.get(rest.format(second.pk), headers=frog.acme.reader.headers).json()
    assert (told["published_by"]["source"], bool(told["checked_at"])) == ("Octo/frog", True)


@pytest.mark.parametrize(
    ("url", "is_in"),
    [
        (HOME, True),
        (f"{HOME}.git", True),
        (f" {HOME.lower()}/ ", True),
        (f"{HOME}#readme", True),
        (f"{HOME}/?tab=readme", True),
        (f"{HOME}/tree/main/.github/my-file_1.x?plain=1#L1", True),
        (f"{HOME}-evil", False),
        (f"{HOME}.evil", False),
        (f"{HOME}/../../evil/frog", False),
        (f"{HOME}/..", False),
        (f"{HOME}/x/..?y", False),
        (f"{HOME}/%2e%2E/%2e%2e/evil/frog", False),
        (f"{HOME}/\\..\\..\\..\\evil\\frog", False),
        (f"{HOME}/.\t./.\t./evil/frog", False),
        ("https://github.com/Octo", False),
        ("https://github.com@evil.example/octo/frog", False),
    ],
)
def test_an_address_is_the_attested_source_s_where_a_browser_would_go_there(
    url: str, *, is_in: bool
) -> None:
    build = Build(kind="github", source="Octo/frog", source_url=HOME)
    assert Vouching([Vouched(build)], []).names(url) is is_in


@pytest.mark.parametrize("path", [PROJECT, FILE, f"{FILE}?tab=security"])
def test_pages_ask_little(
    client: Client, frog: Cast, path: str, django_assert_max_num_queries: Any
) -> None:
    shown(client, path, frog.acme.reader)
    with django_assert_max_num_queries(12):
        shown(client, path, frog.acme.reader)
