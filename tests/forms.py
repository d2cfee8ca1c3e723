"""Reads the forms of a page as a browser does."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag

Fields = dict[str, list[str]]


def fields_of(page: str) -> Fields:
    """Return what the page's main form would send untouched, by name."""
    form = BeautifulSoup(page, "html.parser").select_one("main form[method=post]")
    assert form is not None, "the page has no form"
    fields: Fields = {}
    for control in form.select("[name]:not([disabled])"):
        sent = _sent(control)
        if sent:
            fields.setdefault(str(control["name"]), []).extend(sent)
    return fields


def errors_of(page: str) -> list[str]:
    """Return what the page says is wrong with its form."""
    soup = BeautifulSoup(page, "html.parser")
    return [error.get_text(" ", strip=True) for error in soup.select(".errornote, .errorlist li")]


def _sent(control: Tag) -> list[str]:
    match control.name, control.get("type"):
        case ("button", _) | ("input", "submit" | "button"):
            return []
        case "input", "checkbox" | "radio":
            return [str(control.get("value", "on"))] if control.has_attr("checked") else []
        case "input", _:
            return [str(control.get("value", ""))]
        case "textarea", _:
            return [control.get_text().removeprefix("\n")]
        case "select", _:
            return _chosen(control)
    return []


def _chosen(select: Tag) -> list[str]:
    options = select.select("option")
    chosen = [option for option in options if option.has_attr("selected")]
    if not chosen and not select.has_attr("multiple"):
        chosen = options[:1]  # a browser shows, and sends, the first
    return [str(option.get("value", option.get_text())) for option in chosen]
