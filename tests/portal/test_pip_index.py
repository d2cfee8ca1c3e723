"""The index that pip is configured with, as the first remote's upstream."""

from __future__ import annotations

import pytest

from portal.pip_index import configured_index, split_credentials


@pytest.fixture(autouse=True)
def bare_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_the_environment_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://ann:s3cret@mirror.example.org/simple")
    found = configured_index()
    assert found is not None
    assert found.url == "https://mirror.example.org/simple"
    assert (found.username, found.password) == ("ann", "s3cret")


def test_pips_files_say_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example.org/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    found = configured_index()
    assert found is not None
    assert found.url == "https://mirror.example.org/simple"


def test_pips_own_default_is_used_last() -> None:
    found = configured_index()
    assert found is not None
    assert found.url.startswith("https://")
    assert found.url.endswith("/simple")


def test_credentials_are_decoded() -> None:
    found = split_credentials("https://a%40b:p%3Aw@mirror.example.org:8443/root/simple/")
    assert found.url == "https://mirror.example.org:8443/root/simple/"
    assert (found.username, found.password) == ("a@b", "p:w")
