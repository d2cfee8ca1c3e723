"""Wrong credentials are slowed and limited; a good token is let in whatever others do."""

from __future__ import annotations

import time as real_time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import members, throttle, tokens
from accounts.authentication import CredentialsRefused, authenticate, by_password, credentials_in
from accounts.models import SignInFailures
from accounts.principal import Principal
from accounts.throttle import FailuresUncounted, TooManyFailures
from base.audit import SYSTEM
from tests.cast import Cast, basic, make_user
from tests.conftest import MovableClock

PASSWORD = "canary-password-of-pia"
HOME = "203.0.113.7"
ELSEWHERE = "198.51.100.1"
SIMPLE = "/acme/local/simple/"
WRONG_TOKEN = "lrd_" + "A" * 57


@pytest.fixture
def pia(db: None) -> None:
    """Somebody with a password."""
    make_user("pia", password=PASSWORD)


def refused(username: str, *, address: str = HOME) -> str:
    """Sign in with a wrong password and return the class of the refusal."""
    with pytest.raises((CredentialsRefused, TooManyFailures)) as refusal:
        by_password(username, "wrong", address=address)
    return type(refusal.value).__name__


def present(secret: str, *, address: str = HOME) -> Principal:
    """Show a token."""
    credentials = credentials_in({"authorization": f"Bearer {secret}"})
    assert credentials is not None
    return authenticate(credentials, address=address)


def addresses() -> Iterator[str]:
    """Yield addresses that nobody has used yet."""
    return (f"10.{number // 250}.{number % 250}.1" for number in count())


def test_an_account_is_closed_after_ten_wrong_passwords_from_wherever(
    pia: None, time: MovableClock
) -> None:
    homes = addresses()
    heard = [refused("pia", address=next(homes)) for _ in range(12)]
    assert heard == ["CredentialsRefused"] * 10 + ["TooManyFailures"] * 2
    with pytest.raises(TooManyFailures) as closed:
        by_password("pia", PASSWORD, address=next(homes))
    assert closed.value.retry_after == 300
    assert closed.value.sentence.endswith("Try again in 300 seconds.")
    time.move(seconds=299.5)
    with pytest.raises(TooManyFailures) as closed:
        by_password("pia", PASSWORD, address=next(homes))
    assert closed.value.retry_after == 1
    time.move(seconds=0.5)
    assert by_password("pia", PASSWORD, address=next(homes)).username == "pia"


def test_an_address_is_closed_after_ten_wrong_passwords_for_whomever(
    pia: None, time: MovableClock
) -> None:
    heard = [refused(f"user-{number}") for number in range(11)]
    assert heard == ["CredentialsRefused"] * 10 + ["TooManyFailures"]
    with pytest.raises(TooManyFailures):
        by_password("pia", PASSWORD, address=HOME)
    assert by_password("pia", PASSWORD, address=ELSEWHERE)


def test_the_installation_is_closed_after_a_thousand(
    pia: None, time: MovableClock, monkeypatch
) -> None:
    monkeypatch.setattr(throttle, "IN_ALL", 25)
    homes = addresses()
    for number in range(25):
        assert refused(f"user-{number}", address=next(homes)) == "CredentialsRefused"
    assert refused("another", address=next(homes)) == "TooManyFailures"
    with pytest.raises(TooManyFailures):
        by_password("pia", PASSWORD, address=ELSEWHERE)


def test_the_numbers_are_those_of_the_house() -> None:
    assert (throttle.PER_ACCOUNT, throttle.PER_ADDRESS, throttle.IN_ALL) == (10, 10, 1000)
    assert timedelta(minutes=5) == throttle.WINDOW


def test_who_is_closed_out_uses_up_nothing(pia: None, time: MovableClock) -> None:
    for _ in range(40):
        refused("pia")
    assert SignInFailures.objects.get(pk="all").count == 10


def test_a_closed_out_password_is_not_even_checked(
    pia: None, time: MovableClock, monkeypatch
) -> None:
    for _ in range(10):
        refused("pia")
    monkeypatch.setattr("accounts.authentication.check_password", lambda *_: pytest.fail("looked"))
    monkeypatch.setattr("accounts.authentication.make_password", lambda *_: pytest.fail("looked"))
    for name in ("pia", "nobody"):
        assert refused(name) == "TooManyFailures"


@pytest.mark.parametrize("spelled", ["PIA", "Pia", "pIa"])
def test_a_name_counts_in_every_spelling(pia: None, time: MovableClock, spelled: str) -> None:
    homes = addresses()
    for _ in range(10):
        refused(spelled, address=next(homes))
    assert refused("pia", address=next(homes)) == "TooManyFailures"


def test_a_name_that_nobody_has_is_limited_alike(pia: None, time: MovableClock) -> None:
    heard = {}
    for name in ("pia", "nobody", "no\x00body"):
        homes = addresses()
        heard[name] = [refused(name, address=next(homes)) for _ in range(11)]
        SignInFailures.objects.filter(subject__startswith="address:").delete()
    assert heard["pia"] == heard["nobody"] == heard["no\x00body"]


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("203.0.113.7", "203.0.113.8", False),
    ],
)
def test_what_is_one_address(
    pia: None, time: MovableClock, first: str, second: str, is_one: bool
) -> None:
    for number in range(10):
        refused(f"user-{number}", address=first)
    assert (refused("another", address=second) == "TooManyFailures") is is_one


def test_an_address_that_is_none_counts_for_the_account_alone(
    pia: None, time: MovableClock
) -> None:
    for number in range(12):
        assert refused(f"user-{number}", address="unix:") == "CredentialsRefused"
    assert not SignInFailures.objects.filter(subject__startswith="address:").exists()


def test_no_name_stands_in_the_rows(pia: None, time: MovableClock) -> None:
    refused("hunter2-typed-in-the-wrong-field")
    subjects = " ".join(SignInFailures.objects.values_list("subject", flat=True))
    assert "hunter2" not in subjects
    assert f"address:{HOME}" in subjects


def test_wrong_tokens_count_for_their_address(cast: Cast, time: MovableClock) -> None:
    for _ in range(10):
        with pytest.raises(CredentialsRefused):
            present(WRONG_TOKEN)
    with pytest.raises(TooManyFailures):
        present(WRONG_TOKEN)
    assert refused("pia") == "TooManyFailures"
    with pytest.raises(CredentialsRefused):
        present(WRONG_TOKEN, address=ELSEWHERE)
    assert not SignInFailures.objects.filter(subject__startswith="account:").exists()


def test_an_empty_password_is_asked_for_one_and_is_no_guess(
    client: Client, cast: Cast, time: MovableClock, pauses: list[float]
) -> None:
    """Pip and uv send one for each file before they ask the keyring."""
    for name in ("__token__", cast.acme.reader.user.username, "nobody"):
        for _ in range(11):
            answer = client.get(SIMPLE, headers=basic(name, ""))
            assert (answer.status_code, answer.headers["WWW-Authenticate"][:6]) == (401, "Basic ")
    assert not SignInFailures.objects.exists()
    assert not any(pauses)


def test_a_good_token_is_let_in_whatever_others_do(
    cast: Cast, time: MovableClock, monkeypatch
) -> None:
    monkeypatch.setattr(throttle, "IN_ALL", 12)
    homes = addresses()
    writer = cast.acme.writer
    for _ in range(10):
        refused(writer.user.username)
        refused(writer.user.username, address=next(homes))
    for number in range(20):
        assert present(writer.secret).user == writer.user, number
    assert SignInFailures.objects.get(pk="all").count <= 12


def test_a_good_token_asks_no_counter(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as asked:
        present(cast.acme.writer.secret)
    assert len(asked) == 1
    assert "signinfailures" not in asked.captured_queries[0]["sql"]


def test_a_right_password_is_not_counted_and_forgives_nothing(
    pia: None, time: MovableClock
) -> None:
    for _ in range(9):
        refused("pia")
    for _ in range(20):
        by_password("pia", PASSWORD, address=HOME)
    assert refused("pia") == "CredentialsRefused"
    assert refused("pia") == "TooManyFailures"


def test_a_right_password_among_too_many_wrong_ones_is_not_told_apart(
    pia: None, time: MovableClock, monkeypatch
) -> None:
    # The eleven came side by side: there was room when the right one began to be checked.
    def slow_check(*_: object) -> bool:
        for number in range(10):
            throttle.count_failure(address=HOME, account=f"user-{number}")
        return True

    monkeypatch.setattr("accounts.authentication.check_password", slow_check)
    with pytest.raises(TooManyFailures):
        by_password("pia", PASSWORD, address=HOME)


def test_each_wrong_credential_waits_longer_up_to_a_second(
    pia: None, time: MovableClock, pauses: list[float]
) -> None:
    for _ in range(12):
        refused("pia")
    assert pauses == [pytest.approx(number / 10) for number in range(1, 11)]
    for _ in range(2):
        with pytest.raises(CredentialsRefused):
            present(WRONG_TOKEN, address=ELSEWHERE)
    assert pauses[10:] == [pytest.approx(0.1), pytest.approx(0.2)]
    time.move(minutes=5)
    refused("pia")
    assert pauses[12:] == [pytest.approx(0.1)]
    by_password("pia", PASSWORD, address=HOME)
    assert len(pauses) == 13


def test_what_is_over_is_removed(pia: None, time: MovableClock) -> None:
    homes = addresses()
    for number in range(30):
        refused(f"user-{number}", address=next(homes))
    assert SignInFailures.objects.count() == 61
    time.move(minutes=4)
    refused("late", address=ELSEWHERE)
    time.move(minutes=1)
    refused("pia")
    left = set(SignInFailures.objects.values_list("subject", flat=True))
    assert len(left) == 5  # two of the late one, two of pia's, and the installation's
    assert {"all", f"address:{HOME}", f"address:{ELSEWHERE}"} < left


def busy(*_: object, **__: object) -> Any:
    raise OperationalError("database is locked")


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_without_a_count_no_password_is_let_in(
    client: Client, pia: None, monkeypatch, password: str
) -> None:
    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", busy)
    with pytest.raises(FailuresUncounted):
        by_password("pia", password, address=HOME)
    answer = client.get(SIMPLE, headers=basic("pia", password))
    assert answer.status_code == 503
    assert answer.reason_phrase.startswith("Passwords cannot be checked at the moment.")
    form = client.post("/accounts/sign-in/", {"username": "pia", "password": password})
    assert form.status_code == 503
    assert "Passwords cannot be checked at the moment." in form.content.decode()


def test_without_a_count_a_good_token_is_let_in_and_a_wrong_one_is_not(
    cast: Cast, monkeypatch
) -> None:
    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", busy)
    assert present(cast.acme.writer.secret).user == cast.acme.writer.user
    with pytest.raises(CredentialsRefused):
        present(WRONG_TOKEN)


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_not_counted_where_it_could_be_rolled_back() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        throttle.count_failure(address=HOME, account="pia")


@pytest.mark.django_db(transaction=True)
def test_guesses_side_by_side_are_counted_exactly(pauses: list[float]) -> None:
    make_user("pia", password=PASSWORD)

    def guess(number: int) -> str:
        try:
            return refused("pia", address=f"10.0.{number}.1")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        heard = Counter(pool.map(guess, range(24)))
    assert heard == {"CredentialsRefused": 10, "TooManyFailures": 14}
    assert SignInFailures.objects.get(pk="all").count == 10
    assert len(pauses) == 10


@pytest.mark.django_db(transaction=True)
def test_many_counts_side_by_side_lose_none(pauses: list[float]) -> None:
    def fail(number: int) -> None:
        try:
            throttle.count_failure(address=f"10.0.{number % 5}.1", account=f"user-{number % 7}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(35)))
    counts = dict(SignInFailures.objects.values_list("subject", "count"))
    assert counts.pop("all") == 35
    assert sorted(counts.values()) == [5] * 7 + [7] * 5


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """Each time that a password is hashed, as the hasher saw it."""
    hashed: list[str] = []
    hasher = hashers.get_hasher()

    class Counted(type(hasher)):  # type: ignore[misc]  # whichever is set
        def encode(self, password: str, salt: str) -> str:
            hashed.append("hashed")
            return str(super().encode(password, salt))

        def verify(self, password: str, encoded: str) -> bool:
            hashed.append("hashed")
            return bool(super().verify(password, encoded))

    monkeypatch.setattr(hashers, "get_hashers", lambda: [Counted()])
    monkeypatch.setattr(hashers, "get_hashers_by_algorithm", lambda: {hasher.algorithm: Counted()})
    return hashed


def test_every_wrong_password_costs_the_same_work(cast: Cast, looks: list[str]) -> None:
    make_user("pia", password=PASSWORD)
    disabled = make_user("dis", password=PASSWORD)
    disabled.is_active = False
    members.save_user(disabled, by=SYSTEM)
    members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    refused("first", address=ELSEWHERE)  # begins the window of the installation
    cost: dict[str, tuple[object, ...]] = {}
    for name in ("pia", "nobody", "dis", "acme/ci", "wes"):
        looks.clear()
        with CaptureQueriesContext(connection) as asked:
            refused(name, address=f"10.1.1.{len(cost)}")
        statements = [query["sql"].split(" ")[0] for query in asked]
        cost[name] = (tuple(looks), len(statements), tuple(statements))
    assert len(set(cost.values())) == 1, cost
    assert cost["pia"][0] == ("hashed",)


def test_a_known_identifier_costs_what_an_unknown_one_does(cast: Cast, monkeypatch) -> None:
    secret = cast.acme.writer.secret
    tokens.revoke(cast.acme.reader.token, by=SYSTEM)
    body = secret[4:12] + "0" * 43
    wrong = "lrd_" + body + tokens._checksum(body)
    unknown = "lrd_" + "0" * 51 + tokens._checksum("0" * 51)
    digests: list[str] = []
    digest = tokens.digest_of

    def counted(text: str) -> str:
        digests.append(text)
        return digest(text)

    monkeypatch.setattr(tokens, "digest_of", counted)
    cost = {}
    for shown in (wrong, unknown, cast.acme.reader.secret):
        digests.clear()
        with CaptureQueriesContext(connection) as asked:
            assert tokens.find(shown) is None
        cost[shown] = (len(digests), len(asked))
    assert set(cost.values()) == {(1, 1)}


def get(client: Client, headers: dict[str, str], url: str = SIMPLE) -> Any:
    return client.get(url, headers=headers, REMOTE_ADDR=HOME)


@pytest.mark.parametrize(
    "headers",
    [
        basic("pia", "wrong"),
        basic("nobody", "wrong"),
        basic("__token__", WRONG_TOKEN),
        {"Authorization": f"Bearer {WRONG_TOKEN}"},
        {"X-JFrog-Art-Api": "AKCp123"},
    ],
)
@pytest.mark.parametrize("url", [SIMPLE, "/nowhere/at-all/simple/", "/pypi/simple/frog/"])
def test_the_pypi_door_says_429_and_when_to_return(
    client: Client, cast: Cast, time: MovableClock, headers: dict[str, str], url: str
) -> None:
    assert [get(client, headers, url).status_code for _ in range(11)] == [401] * 10 + [429]
    answer = get(client, headers, url)
    assert answer.headers["Retry-After"] == "300"
    assert answer.reason_phrase == ("Too many wrong passwords or tokens. Try again in 300 seconds.")
    assert answer.reason_phrase in answer.content.decode()
    assert "WWW-Authenticate" not in answer.headers
    assert get(client, cast.acme.reader.headers).status_code == 200


def test_an_upload_with_a_wrong_token_is_limited_too(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    headers = basic("__token__", WRONG_TOKEN)
    heard = [
        client.post("/acme/local/", {}, headers=headers, REMOTE_ADDR=HOME).status_code
        for _ in range(11)
    ]
    assert heard == [401] * 10 + [429]


def test_the_form_and_the_pypi_door_count_together(
    client: Client, pia: None, time: MovableClock
) -> None:
    for _ in range(5):
        get(client, basic("pia", "wrong"))
        form = {"username": "pia", "password": "wrong"}
        assert client.post("/accounts/sign-in/", form, REMOTE_ADDR=HOME).status_code == 200
    form = {"username": "pia", "password": PASSWORD}
    answer = client.post("/accounts/sign-in/", form, REMOTE_ADDR=ELSEWHERE)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"
    page = answer.content.decode()
    assert "Too many wrong passwords or tokens. Try again in 300 seconds." in page
    assert 'name="password"' in page
    assert PASSWORD not in page
    assert "_auth_user_id" not in client.session
    time.move(minutes=5)
    assert client.post("/accounts/sign-in/", form, REMOTE_ADDR=ELSEWHERE).status_code == 302


def test_a_forged_address_counts_for_nobody(client: Client, pia: None, time: MovableClock) -> None:
    for number in range(10):
        spoofed = basic("nobody", "wrong") | {"X-Forwarded-For": f"192.0.2.{number}"}
        assert get(client, spoofed).status_code == 401
    spoofed = basic("pia", PASSWORD) | {"X-Forwarded-For": "192.0.2.99"}
    assert get(client, spoofed).status_code == 429


def test_no_test_waits_itself() -> None:
    assert throttle.sleep is not real_time.sleep
