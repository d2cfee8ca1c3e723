"""Our stylesheets hold no rule for a class that nothing has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
# Given by what is not ours: htmx marks what it waits for.
# So does Swagger UI, which draws the page of the REST door itself.
OTHERS = {"htmx-request", "swagger-ui", "wrapper"}
# Django's own templates name most of what this one styles.
OURS = sorted(set((HERE / "static/css").glob("*.css")) - {HERE / "static/css/admin.css"})


def named() -> Iterator[str]:
    """Yield every class that a template names, and each word of scripts and of pages' texts."""
    yield "icon"  # of all that `{% icon %}` draws
    for template in (HERE / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        yield from re.findall(
            r"[\w-]+", " ".join(re.findall(r'\{% icon "[^"]*" "(.*?)" %\}', text))
        )
        for value in re.findall(r'class="((?:\{%.*?%\}|[^"])*)"', text):
            # What is made of a value stands for every class that begins like it: `kind-{{ kind }}`.
            yield from re.findall(r"[\w-]+", re.sub(r"\{\{.*?\}\}", "*", value).replace("-*", "-"))
    for script in (HERE / "static/js").glob("*.js"):
        yield from re.findall(r"[\w-]+", script.read_text("utf-8"))
    for module in HERE.glob("p*/**/*.py"):  # packages, portal
        yield from re.findall(r'"([\w-]+)"', module.read_text("utf-8"))


@pytest.mark.parametrize("stylesheet", OURS, ids=lambda path: path.name)
def test_every_class_of_a_stylesheet_is_named_somewhere(stylesheet: Path) -> None:
    css = re.sub(r"/\*.*?\*/", "", stylesheet.read_text("utf-8"), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"([^{}@;]+)\{", css))
    words = set(named()) | OTHERS
    begun = tuple(word for word in words if word.endswith("-") and len(word) > 1)
    styled = set(re.findall(r"\.([A-Za-z][\w-]*)", selectors))
    assert styled or stylesheet.name == "tokens.css"
    assert sorted(each for each in styled - words if not each.startswith(begun)) == []
