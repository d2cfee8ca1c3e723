"""An administrator at work in the Django admin: reads its forms, sends them as a browser does."""

from __future__ import annotations

import re
from typing import Self

import requests
from bs4 import BeautifulSoup

from tests.forms import errors_of, fields_of

_SEARCH_KEYS = ("app_label", "model_name", "field_name")


class Admin:
    """A signed-in session in the admin of the Larder at `url`."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self._send("/accounts/sign-in/?next=/admin/", username=username, password=password)
        assert answer.url == f"{url}/admin/", errors_of(answer.text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def add(self, model: str, **values: str | bool) -> str:
        """Add a row by its form and return the page that follows; `model` is app/model."""
        return self.save(f"/admin/{model}/add/", **values)

    def save(self, path: str, **values: str | bool) -> str:
        """Fill in the form at `path`, save, and return the page that follows."""
        answer = self._send(path, _save="Save", **values)
        assert answer.status_code == 200, answer.text
        assert 'class="errornote"' not in answer.text, errors_of(answer.text)
        return answer.text

    def find(self, model: str, term: str) -> str:
        """Return the path of the change form of the one row that the list's search finds."""
        answer = self.session.get(f"{self.url}/admin/{model}/", params={"q": term})
        answer.raise_for_status()
        (path,) = set(re.findall(rf'href="(/admin/{model}/\d+/change/)', answer.text))
        return str(path)

    def _send(self, path: str, **values: str | bool) -> requests.Response:
        page = self.session.get(self.url + path)
        page.raise_for_status()
        data = fields_of(page.text)
        for name, value in values.items():
            if value is False:
                data.pop(name, None)
            else:
                data[name] = ["on" if value is True else self._choice(page.text, name, value)]
        return self.session.post(self.url + path, data=data, headers={"Referer": self.url + path})

    def _choice(self, page: str, name: str, value: str) -> str:
        """Return what a select sends for the option that reads `value`; else the value itself."""
        select = BeautifulSoup(page, "html.parser").select_one(f'select[name="{name}"]')
        if select is None:
            return value
        if "data-app-label" in select.attrs:  # a search box of the admin
            asked = {key: str(select[f"data-{key.replace('_', '-')}"]) for key in _SEARCH_KEYS}
            found = self.session.get(
                f"{self.url}/admin/autocomplete/", params={**asked, "term": value}
            )
            found.raise_for_status()
            results = found.json()["results"]
            assert len(results) == 1, f"{value}: {results}"
            return str(results[0]["id"])
        options = {
            each.get_text(strip=True): str(each["value"]) for each in select.select("option")
        }
        return options.get(value, value)
