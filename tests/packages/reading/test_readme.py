"""READMEs as they are shown: rendered by their type, and made fit for a page of ours."""

from __future__ import annotations

import pytest

from packages.reading.plain_readme import plain_html
from packages.reading.readme import render
from packages.reading.sanitise import UnfitForPage, sanitised
from tests.dists import make_sdist, make_wheel, tar_of, zip_of
from tests.packages.reading.conftest import Read

REL = 'rel="nofollow noopener noreferrer"'


def markdown(text: str) -> str:
    rendered = render(text, "text/markdown")
    assert (rendered.format, rendered.reason) == ("markdown", "")
    return rendered.html.strip()


def rst(text: str) -> str:
    rendered = render(text, "text/x-rst; charset=UTF-8")
    assert (rendered.format, rendered.reason) == ("rst", "")
    return rendered.html.strip()


def test_no_link_is_left_that_has_nothing_to_press() -> None:
    heading = '<h1 id="frog">Frog<a href="#frog"></a></h1>'
    assert sanitised(heading) == '<h1 id="readme-frog">Frog</h1>'
    assert sanitised('<a id="here"></a>Frog').startswith('<a id="readme-here"')
    assert ">Frog</a>" in sanitised('<a href="https://acme.example/">Frog</a>')


def test_what_is_scrolled_sideways_is_scrolled_by_keys() -> None:
    assert sanitised("<pre>frog</pre>") == '<pre tabindex="0">frog</pre>'
    assert '<table tabindex="0">' in sanitised("<table><tr><td>frog</td></tr></table>")


def test_markdown_is_that_of_the_public_index() -> None:
    assert markdown("*a* **b** ~~c~~") == "<p><em>a</em> <strong>b</strong> <del>c</del></p>"
    assert "<th>x</th>" in markdown("| x |\n|---|\n| y |")
    assert "https://example.org" in markdown("see https://example.org")
    plain = render("~~c~~", "text/markdown; variant=CommonMark")
    assert plain.html.strip() == "<p>~~c~~</p>"


def test_code_is_coloured() -> None:
    assert '<span class="kn">import</span>' in markdown("```python\nimport frog\n```")
    assert '<span class="kn">import</span>' in rst(".. code:: python\n\n   import frog\n")


def test_tick_boxes_are_characters() -> None:
    shown = markdown("- [x] done\n- [ ] not\n")
    assert "\N{BALLOT BOX WITH CHECK} done" in shown
    assert "\N{BALLOT BOX} not" in shown


def test_notes_keep_their_looks() -> None:
    assert 'class="admonition tip"' in markdown("> [!TIP]\n> x")
    assert 'class="admonition warning"' in rst(".. warning:: x\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![words](https://a/b.png)", f'<a href="https://a/b.png" {REL}>words</a>'),
        ("![](https://a/b.png)", f'<a href="https://a/b.png" {REL}>image</a>'),
        ("![words](b.png)", "words"),
        ("[![ok](https://a/b.svg)](https://a/)", f'<a href="https://a/" {REL}>ok</a>'),
        ('<img alt="a<b" src="//a/b">', "a&lt;b"),
    ],
)
def test_images_are_their_words(text: str, shown: str) -> None:
    assert markdown(text).removeprefix("<p>").removesuffix("</p>") == shown


def test_identifiers_are_not_those_of_our_pages() -> None:
    shown = markdown('# Hi there\n\n<h2 id="csrfmiddlewaretoken">x</h2>\n\n[a](#hi-there)')
    assert 'id="readme-hi-there"' in shown
    assert 'id="readme-csrfmiddlewaretoken"' in shown
    assert 'href="#readme-hi-there"' in shown
    assert 'id="readme-up"' in rst("Up\n==\n\n`Up`_\n")
    assert 'href="#readme-up"' in rst("Up\n==\n\n`Up`_\n")


def test_classes_are_not_those_of_our_pages() -> None:
    shown = markdown('<div class="modal note">x</div> <span class="hidden k">y</span>')
    assert 'class="note"' in shown
    assert 'class="k"' in shown
    assert "modal" not in shown
    assert "hidden" not in shown


@pytest.mark.parametrize(
    "href", ["/logout", "docs/x.md", "?x", "//a/b", "ftp://a/b", "http:x", "h"]
)
def test_links_lead_into_none_of_our_pages(href: str) -> None:
    assert "href" not in markdown(f"[x]({href})")


def test_cells_span_no_more_than_a_page() -> None:
    shown = markdown('<table><tr><td colspan="2" rowspan="99999">x</td></tr></table>')
    assert 'colspan="2"' in shown
    assert "rowspan" not in shown


def test_nothing_is_nested_without_end() -> None:
    assert sanitised("<b>" * 90 + "x" + "</b>" * 90).count("<b>") == 90
    with pytest.raises(UnfitForPage, match="nested more than 100 levels"):
        sanitised("<b>" * 101)


def test_without_a_content_type_it_is_rst_or_else_plain() -> None:
    assert render("Hi\n==\n", "").format == "rst"
    shown = render("# Hi *there\n", "")
    assert shown.format == "plain"
    assert shown.html == "<pre># Hi *there\n</pre>"
    assert shown.reason == (
        "It is not shown as reStructuredText: in line 1, Inline emphasis start-string without "
        "end-string."
    )


def test_plain_text_is_shown_as_it_stands() -> None:
    shown = render("a < b\n  & *c*\n", "text/plain")
    assert (shown.html, shown.format, shown.reason) == (
        "<pre>a &lt; b\n  &amp; *c*\n</pre>",
        "plain",
        "",
    )
    assert plain_html(" \n\t") == ""


def test_a_type_that_nobody_renders_is_plain() -> None:
    shown = render("<b>x", "text/html")
    assert (shown.html, shown.format) == ("<pre>&lt;b&gt;x</pre>", "plain")
    assert shown.reason == "Its content type 'text/html' is not one that is rendered."


def test_the_description_is_shown_before_any_file(read: Read) -> None:
    made = make_sdist("frog", "1.0", description="Green.", files={"README.md": b"# Frog\n"})
    assert read(made).facts["readme"]["source"] == "Description"
    silent = make_sdist("frog", "1.0", files={"README.md": b"# Frog\n"})
    found = read(silent)
    assert found.facts["readme"] == {
        "source": "frog-1.0/README.md",
        "format": "markdown",
        "reason": "",
    }
    assert '<h1 id="readme-frog">' in found.readme_html


@pytest.mark.parametrize(
    ("made", "source"),
    [
        (("frog.zip", zip_of({"README.rst": b"Hi\n==\n", "x": b""})), "README.rst"),
        (("frog.tar.gz", tar_of({"frog/readme.TXT": b"Hi", "frog/x": b""})), "frog/readme.TXT"),
        (("frog.zip", zip_of({"docs/README.md": b"x", "x": b""})), ""),
        (make_wheel("frog", "1.0", files={"frog/README.md": b"x"}), ""),
    ],
)
def test_without_metadata_a_readme_at_the_top_is_shown(
    read: Read, made: tuple[str, bytes], source: str
) -> None:
    found = read(made)
    assert found.facts["readme"]["source"] == source
    assert bool(found.readme_html) == bool(source)
