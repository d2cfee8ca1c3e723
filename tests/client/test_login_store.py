"""The file of logins: whose it is, and that it is there whole."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from larder_client import store
from larder_client.problems import SIGN_IN, Problem

ONE, OTHER = "https://packages.example", "http://127.0.0.1:8000"


def keep(origin: str, **login: str) -> None:
    with store.locked():
        store.keep(origin, login, is_current=True)


def test_a_login_is_found_by_its_origin_alone() -> None:
    keep(ONE, username="ann", token="x")
    assert store.login_to(ONE) == {"username": "ann", "token": "x"}
    assert store.login_to(OTHER) is None
    assert store.login_to(f"{ONE}:8443") is None


def test_only_its_owner_reads_the_file(config: Path) -> None:
    keep(ONE, username="ann", token="x")
    assert (config / "logins.json").stat().st_mode & 0o777 == 0o600
    assert config.stat().st_mode & 0o777 == 0o700
    (config / "logins.json").chmod(0o640)
    with pytest.raises(Problem, match="Others may read"):
        store.login_to(ONE)


def test_the_last_login_is_the_current_one_until_it_is_forgotten() -> None:
    with pytest.raises(Problem, match="logged in nowhere") as refused:
        store.current()
    assert refused.value.code == SIGN_IN
    keep(ONE, username="ann", token="x")
    keep(OTHER, username="bob", token="y")
    assert store.current() == OTHER
    with store.locked():
        store.forget(OTHER)
    assert store.current() == ONE
    assert store.login_to(OTHER) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"current": "", "logins": 7}',
        '{"current": "", "logins": {"https://packages.example": {"username": "ann"}}}',
    ],
)
def test_a_broken_file_is_said_to_be_broken(config: Path, content: str) -> None:
    keep(ONE, username="ann", token="x")
    (config / "logins.json").write_text(content)
    with pytest.raises(Problem, match="cannot be read"):
        store.login_to(ONE)


def test_a_write_that_fails_leaves_the_file_as_it_was(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(ONE, username="ann", token="x")

    def full(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("larder_client.store.json.dump", full)
    with pytest.raises(OSError, match="full"):
        keep(OTHER, username="bob", token="y")
    assert store.login_to(ONE) == {"username": "ann", "token": "x"}
    assert {each.name for each in config.iterdir()} == {"logins.json", "logins.lock"}


def test_one_changes_the_file_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, order = threading.Event(), []

    def second() -> None:
        begun.set()
        with store.locked():
            order.append("second")

    with store.locked():
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    monkeypatch.setattr(store, "_WAIT_SECONDS", 0)
    with store.locked(), pytest.raises(Problem, match="Another process holds"), store.locked():
        pass
