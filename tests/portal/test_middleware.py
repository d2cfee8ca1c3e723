"""What holds for every request: hosts, proxies, https, and the lease."""

from __future__ import annotations

import ipaddress
import time as real_time
from http import HTTPStatus

import pytest
from django.test import Client

from base.models import AuditEvent
from base.stamps import LEASE_SECONDS
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
