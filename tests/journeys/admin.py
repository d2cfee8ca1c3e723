"""An administrator at work in the Django admin: reads its forms, sends them as a browser does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

import requests

Values = dict[str, str | bool]


@dataclass
class Field:
    """One control of a form: its value, and for a select what it offers."""

    value: str | None = None  # None: not sent, as an unticked box
    options: dict[str, str] = field(default_factory=dict)  # text: value
    search: dict[str, str] = field(default_factory=dict)  # what the admin's search box asks with


class _Form(HTMLParser):
    """Collects the controls of the page's form that are not in its header or filters."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self._select = ""
        self._option: str | None = None
        self._text = ""
        self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        match tag:
            case "input" if given.get("type") in {"checkbox", "radio"}:
                is_ticked = "checked" in given
                self.fields[name] = Field(given.get("value", "on") if is_ticked else None)
            case "input" if name and given.get("type") != "submit":
                self.fields[name] = Field(given.get("value", ""))
            case "select":
                self._select = name
                search = {
                    key: given[f"data-{key.replace('_', '-')}"]
                    for key in ("app_label", "model_name", "field_name")
                    if f"data-{key.replace('_', '-')}" in given
                }
                self.fields[name] = Field(None if "multiple" in given else "", search=search)
            case "option" if self._select:
                self._option, self._text = given.get("value", ""), ""
                if "selected" in given:
                    self.fields[self._select].value = self._option
            case "textarea":
                self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "option" and self._option is not None:
            self.fields[self._select].options[self._text.strip()] = self._option
            self._option = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            self.fields[self._area] = Field(self._text.removeprefix("\n"))
            self._area = ""


class Admin:
    """A signed-in session in the admin of the Larder at `url`."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self._send("/accounts/sign-in/?next=/admin/", username=username, password=password)
        assert answer.url == f"{url}/admin/", _errors(answer.text)

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
        assert 'class="errornote"' not in answer.text, _errors(answer.text)
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
        fields = _Form(page.text).fields
        data = {name: each.value for name, each in fields.items() if each.value is not None}
        for name, value in values.items():
            if isinstance(value, bool):
                data |= {name: "on"} if value else {}
                _ = value or data.pop(name, None)
            else:
                data[name] = self._choice(fields.get(name, Field()), value)
        return self.session.post(self.url + path, data=data, headers={"Referer": self.url + path})

    def _choice(self, control: Field, value: str) -> str:
        """Return what a select sends for the option that reads `value`; else the value itself."""
        if control.search:
            found = self.session.get(
                f"{self.url}/admin/autocomplete/", params=control.search | {"term": value}
            )
            found.raise_for_status()
            results = found.json()["results"]
            assert len(results) == 1, f"{value}: {results}"
            return str(results[0]["id"])
        return control.options.get(value, value)


def _errors(page: str) -> str:
    found = re.findall(
        r'class="(?:errornote|errorlist[^"]*|notice[^"]*)"[^>]*>(.*?)</', page, re.DOTALL
    )
    return " ".join(" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found)
