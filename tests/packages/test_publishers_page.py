"""The pages about which CI publishes: what they show, take and refuse, and what they cost."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import pytest
from bs4 import BeautifulSoup
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Issuer
from base.models import AuditEvent
from repos import publishers
from repos.models import TrustedPublisher
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.journeys.documented import file_in
from tests.journeys.documented import text_of as text_of_docs
from tests.publishers import exchanged, make_issuer, trust
from tests.repos.test_publishers import send

URL = "/acme/local/-/publishers/"
GITHUB = {
    "kind": "github",
    "project": "Frog",
    "owner": "Octo",
    "name": "frog",
    "workflow": "release.yml",
}


@pytest.fixture
def ada(cast: Cast, client: Client) -> Client:
    """Acme's administrator, in their browser."""
    client.force_login(cast.acme.admin.user)
    return client


def by_https() -> bool:
    """Say whether people use https, as a test has set it."""
    return django_settings.BASE_URL.startswith("https:")


def text_of(client: Client, url: str = URL, **sent: str) -> str:
    answer = client.post(url, sent, follow=True) if sent else client.get(url, secure=by_https())
    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    return re.sub(r"\s+", " ", answer.content.decode())


def job_of(client: Client, url: str = URL, **sent: str) -> str:
    """Return what the page has a job say."""
    answer = client.post(url, sent) if sent else client.get(url, secure=by_https())
    said = BeautifulSoup(answer.content, "html.parser").select_one(".job pre")
    assert said is not None
    return said.get_text()


def field(page: str, name: str) -> str:
    """Return what stands in a field's place: its label, its help and what is wrong with it."""
    return next(
        part for part in page.split('<div class="field')[1:] if f'name="{name}"' in part
    ).partition("</form>")[0]


def test_without_an_issuer_the_page_says_who_adds_one(cast: Cast, ada: Client) -> None:
    page = text_of(ada)
    assert "Ask whoever runs this installation to add one" in page
    assert "<form method" not in page.partition("<main")[2]
    ada.force_login(cast.superuser.user)
    assert 'href="/admin/accounts/issuer/add/"' in text_of(ada)


def test_a_workflow_is_trusted_listed_and_removed(cast: Cast, ada: Client) -> None:
    issuer = make_issuer()
    assert "No CI publishes here without a secret yet." in text_of(ada)
    page = text_of(ada, **GITHUB)
    assert "GitHub at ci.example: octo/frog, release.yml may publish frog." in page
    assert 'title="Nobody has published it yet' in page
    assert "owner and number: kept at the first publish" in page
    assert send(exchanged(issuer).secret).status_code == 200
    page = text_of(ada)
    assert ">pending</span>" not in page
    assert "owner <code>4711</code>" in page
    assert "its number <code>815</code>" in page
    assert 'href="/acme/local/project/frog/"' in page
    one = f"{URL}{TrustedPublisher.objects.get().pk}/"
    assert f'href="{one}"' in page
    assert "Trust it anew" in text_of(ada, one)
    assert "may not publish frog any more" in text_of(ada, one, do="remove")
    assert not TrustedPublisher.objects.exists()


def test_it_is_trusted_anew_by_the_numbers_that_one_names(
    cast: Cast, ada: Client, time: MovableClock
) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer, environment="release", claims={"sub": "x"})
    TrustedPublisher.objects.update(owner_id="666", source_id="816")
    one = f"{URL}{TrustedPublisher.objects.get().pk}/"
    page = text_of(ada, one, do="anew", owner_id="me", source_id="817")
    assert "Give the owner&#x27;s number, not their name." in field(page, "owner_id")
    assert 'value="817"' in page
    assert TrustedPublisher.objects.get().source_id == "816"
    told = "octo/frog is trusted anew: its number is 817 and the number of its owner is 667."
    assert told in text_of(ada, one, do="anew", owner_id="667", source_id="817")
    row = TrustedPublisher.objects.get()
    assert (row.owner_id, row.source_id) == ("667", "817")
    assert (row.trusted_anew_at, row.last_used_at) == (time(), None)
    assert (row.environment, row.claims) == ("release", {"sub": "x"})
    told = "octo/frog is trusted anew: whoever publishes first is the one."
    assert told in text_of(ada, one, do="anew")
    event = AuditEvent.objects.filter(action="publisher.anew").latest("pk")
    assert (event.actor, event.before["source_id"], event.after["source_id"]) == ("ada", "817", "")
    page = text_of(ada, one)  # where numbers can still be said
    assert "Whoever publishes first as octo/frog" in page
    assert 'name="source_id"' in page


def test_the_numbers_are_said_beforehand(cast: Cast, ada: Client) -> None:
    make_issuer()
    assert "Give its number, not its name." in field(
        text_of(ada, **GITHUB, source_id="x"), "source_id"
    )
    text_of(ada, **GITHUB, owner_id="4711", source_id="815")
    row = TrustedPublisher.objects.get()
    assert (row.owner_id, row.source_id) == ("4711", "815")


def test_more_publishers_than_may_be_is_said_beside_the_form(cast: Cast, ada: Client) -> None:
    trust(cast.acme.repository, make_issuer(), "toad")
    with patch.object(publishers, "PUBLISHERS_AT_MOST", 1):
        assert "trusts octo/frog 1 times, which is the most" in text_of(ada, **GITHUB)


@pytest.mark.parametrize(
    ("kind", "sent", "wanted"),
    [
        (
            "gitlab",
            {
                "namespace": "acme/tools",
                "name": "frog",
                "workflow": ".gitlab-ci.yml",
                "ref": "refs/tags/v*",
            },
            {"source": "acme/tools/frog", "workflow": ".gitlab-ci.yml", "ref": "refs/tags/v*"},
        ),
        (
            "google",
            {"source": "Releases@acme.example", "claims": "sub=1234\nazp = x=y\n"},
            {"source": "releases@acme.example", "claims": {"sub": "1234", "azp": "x=y"}},
        ),
        ("other", {"source": "system:Frog"}, {"source": "system:Frog"}),
    ],
)
def test_each_kind_is_asked_in_the_words_of_its_host(
    ada: Client, kind: str, sent: dict[str, str], wanted: dict[str, Any]
) -> None:
    make_issuer(kind)
    page = text_of(ada, **{"kind": kind, "project": "frog"} | sent)
    assert "may publish frog." in page
    row = TrustedPublisher.objects.get()
    assert {name: getattr(row, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("other", "name", "words"),
    [
        ({"project": "frog!"}, "project", "is not a project name"),
        ({"owner": ""}, "owner", "This field is required"),
        ({"owner": "octo/x"}, "owner", "Give the owner alone, without a slash."),
        ({"name": "octo/frog"}, "name", "Give the name alone"),
        ({"workflow": "ci/release.yml"}, "workflow", "Give a file&#x27;s name alone"),
        ({"owner_id": "octo"}, "owner_id", "Give the owner&#x27;s number"),
        ({"claims": "sub"}, "claims", "Give one name=value a line."),
    ],
)
def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(
    ada: Client, other: dict[str, str], name: str, words: str
) -> None:
    make_issuer()
    page = text_of(ada, **GITHUB | other)
    assert words in field(page, name).partition("field-error")[2]
    assert f'value="{other.get("name", "frog")}"' in field(page, "name")
    assert page.count('class="field-error"') == 1
    is_rare = name in {"owner_id", "claims"}
    assert ("<details open>" in page) is is_rare
    assert not TrustedPublisher.objects.exists()


def test_the_same_publisher_twice_is_refused_once_for_all(ada: Client) -> None:
    make_issuer()
    text_of(ada, **GITHUB)
    assert "The project trusts this publisher already." in text_of(ada, **GITHUB)
    assert TrustedPublisher.objects.count() == 1


def test_of_several_issuers_of_a_kind_one_is_chosen(ada: Client) -> None:
    first, second = make_issuer(), make_issuer(url="https://second.example")
    page = text_of(ada)
    assert all(f">{each}</option>" in page for each in (first, second))
    assert "Select a valid choice" in text_of(ada, **GITHUB, issuer="0")
    text_of(ada, **GITHUB, issuer=str(second.pk))
    assert TrustedPublisher.objects.get().issuer == second


def test_the_public_issuer_is_chosen_before_ones_own(ada: Client) -> None:
    for url in ("https://a.example", "https://gitlab.com", "https://z.example"):
        make_issuer("gitlab", url)
    (chosen,) = re.findall(r"selected>([^<]*)<", text_of(ada, f"{URL}?kind=gitlab"))
    assert chosen == "https://gitlab.com"


def test_the_job_has_the_environment_that_was_typed_or_is_trusted(ada: Client) -> None:
    make_issuer()
    assert "environment: " not in job_of(ada)
    job = job_of(ada, **GITHUB | {"environment": "Release", "owner_id": "octo"})
    assert job.startswith("environment: Release\npermissions:\n  contents: read\n  id-token: write")
    text_of(ada, **GITHUB | {"environment": "Release"})
    one = f"{URL}{TrustedPublisher.objects.get().pk}/"
    assert job_of(ada, one).startswith("environment: release\npermissions:")


def test_for_google_stands_the_script_that_the_page_in_docs_has(
    ada: Client, settings: Settings
) -> None:
    settings.BASE_URL = "https://testserver"
    make_issuer("google")
    script = file_in(text_of_docs("trusted-publishing.md"), "publish.sh").partition("\n")[2]
    here = script.replace("packages.example", "testserver").replace("pypi-local", "local")
    assert job_of(ada) == here


def test_by_http_the_page_says_that_no_client_asks(ada: Client, settings: Settings) -> None:
    make_issuer()
    assert "LARDER_BASE_URL is http://testserver." in text_of(ada)
    settings.BASE_URL = "https://testserver"
    assert "LARDER_BASE_URL" not in text_of(ada)


def test_what_an_older_rule_took_is_not_trusted_anew(cast: Cast, ada: Client) -> None:
    trust(cast.acme.repository, make_issuer())
    TrustedPublisher.objects.update(owner_id="666", ref="v1")
    one = f"{URL}{TrustedPublisher.objects.get().pk}/"
    assert "write refs/tags/v1." in text_of(ada, one, do="anew")
    assert TrustedPublisher.objects.get().owner_id == "666"


def test_an_issuer_that_is_switched_off_offers_no_form(cast: Cast, ada: Client) -> None:
    trust(cast.acme.repository, make_issuer())
    Issuer.objects.update(is_active=False)
    page = text_of(ada)
    assert "switched off" in page
    assert "No issuer vouches for CI now" in page
    assert "vouches for CI here any more" in text_of(ada, **GITHUB)
    assert TrustedPublisher.objects.count() == 1


def test_the_list_is_narrowed_to_a_project_and_goes_on_after_its_page(
    cast: Cast, ada: Client, django_assert_max_num_queries: Any
) -> None:
    issuer = make_issuer()
    for number in range(52):
        trust(cast.acme.repository, issuer, f"frog-{number:02}")
    with django_assert_max_num_queries(12):
        page = text_of(ada)
    assert page.count('class="summary"') == 50
    after = re.search(r'rel="next" href="([^"]+)"', page)
    assert after is not None
    rest = text_of(ada, URL + after[1])
    assert "frog-49" not in rest
    assert "frog-50" in rest
    assert "frog-51" in rest
    page = text_of(ada, f"{URL}?project=frog-07")
    assert page.count('class="summary"') == 1
    assert 'value="frog-07"' in field(page, "project")
    assert ada.get(f"{URL}?after=nonsense").status_code == 400


def test_a_page_of_a_project_leads_to_its_publishers(cast: Cast, ada: Client) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    assert send(exchanged(issuer).secret).status_code == 200
    link = f'href="{URL}?project=frog"'
    assert link in text_of(ada, "/acme/local/project/frog/?tab=manage")
    ada.force_login(cast.acme.writer.user)
    assert link not in text_of(ada, "/acme/local/project/frog/?tab=manage")


def test_what_a_job_says_is_for_this_host(ada: Client, settings: Any) -> None:
    settings.BASE_URL = "https://packages.example:8443"
    make_issuer("gitlab")
    answer = ada.get(URL, headers={"host": "packages.example:8443"}, secure=True)
    page = re.sub(r"\s+", " ", answer.content.decode())
    assert "PACKAGES_EXAMPLE_8443_ID_TOKEN: aud: packages.example:8443" in page
    assert "--publish-url https://packages.example:8443/acme/local/" in page
