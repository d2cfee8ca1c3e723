"""What holds for every request: hosts, proxies, https, and the lease."""

from __future__ import annotations

import ipaddress
import time as real_time
from http import HTTPStatus

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from base.hosts import parse_address
from base.models import AuditEvent
from base.stamps import LEASE_SECONDS
from portal.middleware import _client_behind, trusted_proxies
from tests.cast import Cast
from tests.dists import make_wheel
from tests.uploads import published, upload

LOCAL_PROXY = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize("host", ["testserver", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_our_own_names_are_answered(client: Client, db: None, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == HTTPStatus.OK


def test_a_tenants_host_name_is_answered_and_a_strangers_is_not(client: Client, cast: Cast) -> None:
    cast.acme.tenant.host_name = "packages.acme.example"
    cast.acme.tenant.save()
    assert client.get("/", headers={"Host": "Packages.ACME.example"}).status_code == 200
    refused = client.get("/", headers={"Host": "elsewhere.example"})
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert "LARDER_BASE_URL" in refused.reason_phrase


def test_health_is_asked_by_any_name(client: Client) -> None:
    assert client.get("/-/health", headers={"Host": "10.0.0.7:8000"}).status_code == HTTPStatus.OK


def test_the_address_behind_a_trusted_proxy_is_written_down(
    client: Client, cast: Cast, settings
) -> None:
    spoofed = "1.2.3.4, 203.0.113.9, 127.0.0.2"
    for trusted, address in (((), "127.0.0.1"), (LOCAL_PROXY, "203.0.113.9")):
        settings.TRUSTED_PROXIES = trusted
        name = f"frog-{len(trusted)}"
        file = make_wheel(name, "1.0")
        upload(client, name, "1.0", file, by=cast.acme.writer, X_Forwarded_For=spoofed)
        event = AuditEvent.objects.filter(action="distribution.publish").first()
        assert event is not None
        assert event.address == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "written"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "203.0.113.9", "::1"),  # not one of ours: nothing it says is believed
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "2001:DB8:0:0::9", "2001:db8::9"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown, 127.0.0.7", "127.0.0.7"),
        ("127.0.0.1", "unknown, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4,\t203.0.113.9 ,127.0.0.7", "203.0.113.9"),
        ("127.0.0.1", "<script>alert(1)</script>", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9" * 1000, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.09", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2, 127.0.0.3", "127.0.0.2"),
        ("not an address", "203.0.113.9", ""),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_an_address_is_ever_written_down(
    settings, peer: str, forwarded: str, written: str
) -> None:
    settings.TRUSTED_PROXIES = LOCAL_PROXY
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=peer)
    trusted_proxies(view)(request)
    assert seen == [written]


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.ip_addresses().map(str),
            st.text(st.characters(max_codepoint=255), max_size=50),
            st.sampled_from(["127.0.0.2", "::ffff:127.0.0.3", "unknown", "", "1.2.3.4:80"]),
        ),
        max_size=6,
    )
)
def test_whatever_is_forwarded_an_address_comes_out(hops: list[str]) -> None:
    proxy = parse_address("127.0.0.1")
    with override_settings(TRUSTED_PROXIES=LOCAL_PROXY):
        client = _client_behind(proxy, hops)
    assert client is not None
    assert len(str(client)) <= 45
    if hops and parse_address(hops[-1]) is None:
        assert client == proxy


def test_no_proxy_gives_us_another_host_name(client: Client, db: None, settings) -> None:
    settings.TRUSTED_PROXIES = LOCAL_PROXY
    forwarded = {"X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Proto": "https"}
    answer = client.get("/acme/local/simple", headers=forwarded | {"Forwarded": "host=x.example"})
    text = f"{answer.headers}{answer.content.decode()}"
    assert "elsewhere.example" not in text
    assert "x.example" not in text


@pytest.mark.parametrize(
    "host", ["a,b", "testserver, elsewhere", "testserver:x", "a b", "[::1", "testserver:65536", ""]
)
def test_a_host_that_is_none_is_refused_with_the_reason(
    client: Client, db: None, host: str
) -> None:
    refused = client.get("/", headers={"Host": host})
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert "host name" in refused.reason_phrase


def test_who_is_not_trusted_makes_nothing_https(client: Client, db: None, settings) -> None:
    settings.BASE_URL = "https://testserver"
    spoofed = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
    assert client.get("/", headers=spoofed).status_code == HTTPStatus.MOVED_PERMANENTLY


def test_where_https_is_used_plain_requests_are_sent_there_or_refused(
    client: Client, cast: Cast, settings
) -> None:
    settings.BASE_URL = "https://testserver"
    read = client.get("/acme/local/simple/?x=1")
    assert read.status_code == HTTPStatus.MOVED_PERMANENTLY
    assert read.headers["Location"] == "https://testserver/acme/local/simple/?x=1"
    refused = upload(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "not encrypted" in refused.reason_phrase
    settings.TRUSTED_PROXIES = LOCAL_PROXY
    file = make_wheel("frog", "1.0")
    taken = upload(client, "frog", "1.0", file, by=cast.acme.writer, X_Forwarded_Proto="https")
    assert taken.status_code == HTTPStatus.OK


@pytest.mark.parametrize("port", ["", ":8443"])
def test_a_tenants_host_name_is_kept_on_the_way_to_https(
    client: Client, cast: Cast, settings, port: str
) -> None:
    settings.BASE_URL = f"https://testserver{port}"
    cast.acme.tenant.host_name = "packages.acme.example"
    cast.acme.tenant.save()
    asked = "/artifactory/api/repositories?type=local"
    for host, own in (
        ("Packages.ACME.example:8000", f"https://packages.acme.example{port}"),
        ("testserver", settings.BASE_URL),
        ("127.0.0.1", settings.BASE_URL),
    ):
        read = client.get(asked, headers={"Host": host})
        assert read.status_code == HTTPStatus.MOVED_PERMANENTLY
        assert read.headers["Location"] == own + asked
        refused = client.put(asked, headers={"Host": host})
        assert refused.reason_phrase == f"Use {own}; this address is not encrypted."
    elsewhere = client.get(asked, headers={"Host": "elsewhere.example"})
    assert elsewhere.status_code == HTTPStatus.BAD_REQUEST


def test_the_answer_to_an_upload_waits_until_the_lease_is_over(
    client: Client, cast: Cast, monkeypatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(real_time, "sleep", waits.append)
    client.get("/acme/local/simple/")
    assert waits == []
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    upload(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.reader)
    assert waits == [LEASE_SECONDS, LEASE_SECONDS]
