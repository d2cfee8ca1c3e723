"""Somebody in front of a browser: signs in, sets a client up and copies what the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import requests
from bs4 import BeautifulSoup

from packages.set_up.clients import Snippet, clients
from tests.canaries import watch
from tests.forms import fields_of
from tests.journeys.larder import Larder, Repository


@dataclass(frozen=True)
class Copied:
    """A snippet as it was copied from the page, and the token that was made with it."""

    snippet: Snippet
    text: str
    secret: str


class Person:
    """A signed-in session of `username` in a Larder."""

    def __init__(self, larder: Larder, username: str) -> None:
        (self.password,) = larder.manage(["set_password", username])
        self.url = larder.url
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self.send("/accounts/sign-in/", username=username, password=self.password)
        assert answer.url == f"{self.url}/", answer.text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def send(self, path: str, **values: str) -> requests.Response:
        """Fill in the form of a page and return the page that follows."""
        page = self.session.get(self.url + path)
        page.raise_for_status()
        data = fields_of(page.text) | {name: [value] for name, value in values.items()}
        headers = {"Referer": self.url + path}
        return self.session.post(self.url + path, data=data, headers=headers)

    def set_up(
        self, repository: Repository, client: str, purpose: str, project: str
    ) -> dict[str, Copied]:
        """Make a token for a client and return its snippets, by their ids."""
        path = f"/{repository.name}/-/set-up/{client}/?project={project}"
        page = BeautifulSoup(self.send(path, purpose=purpose, days="1").text, "html.parser")
        secret = page.select_one("code.secret")
        assert secret is not None, page.get_text()
        watch(secret.get_text())
        texts = {
            str(each["data-snippet"]): each.get_text() for each in page.select("[data-snippet]")
        }
        return {
            each.id: Copied(each, texts[f"{client}/{each.id}"], secret.get_text())
            for each in clients()[client].snippets
            if f"{client}/{each.id}" in texts
        }
