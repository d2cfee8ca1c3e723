"""READMEs that take their renderers for ever, nest without end, or read what is not theirs."""

from __future__ import annotations

from collections.abc import Callable

MARKDOWN, RST = "text/markdown", "text/x-rst"
K = 1000
SLOW = "Rendering "  # takes more than 2 s, or breaks off
DEEP = "nested more than 100 levels deep"

# Slug, content type, text, and why it is not shown as what it says to be: empty where it is.
Row = tuple[str, str, Callable[[], str], str]


def _grid(size: int) -> str:
    border, row = "+---" * size + "+\n", "|x  " * size + "|\n"
    return (border + row) * size + border


def _sections(count: int) -> str:
    return "".join(f"T{number}\n=======\n\nx\n\n" for number in range(count))


def _substitutions() -> str:
    lines = [".. |a0| replace:: " + "x" * 100]
    lines += [f".. |a{n}| replace:: " + " ".join([f"|a{n - 1}|"] * 8) for n in range(1, 12)]
    return "\n".join([*lines, "", "|a11|", ""])


BAD_READMES: tuple[Row, ...] = (
    ("quotes-in-quotes", MARKDOWN, lambda: "> " * 50 * K + "x", SLOW),
    (
        "quotes-ever-deeper",
        MARKDOWN,
        lambda: "".join(">" * n + " x\n" for n in range(1, 1400)),
        DEEP,
    ),
    ("lists-ever-deeper", MARKDOWN, lambda: "".join("  " * n + "- x\n" for n in range(900)), DEEP),
    ("lists-in-one-line", MARKDOWN, lambda: "- " * 100 * K + "x", DEEP),
    ("divisions-without-end", MARKDOWN, lambda: "<div>" * 200 * K, SLOW),
    ("bold-without-end", MARKDOWN, lambda: "<b>" * 5 * K + "x", DEEP),
    ("tables-in-tables", MARKDOWN, lambda: "<table><tr><td>" * 30 * K, SLOW),
    (
        "table-of-400-million-cells",
        MARKDOWN,
        lambda: "|a" * 20 * K + "|\n" + "|-" * 20 * K + "|\n" + "|x|\n" * 20 * K,
        SLOW,
    ),
    (
        "footnotes-of-footnotes",
        MARKDOWN,
        lambda: "".join(f"[^{n}]: [^{n + 1}]\n\n" for n in range(20 * K)) + "[^0]",
        "",
    ),
    ("code-of-brackets", MARKDOWN, lambda: "```python\n" + "(" * 500 * K + "\n```\n", ""),
    ("code-in-many-blocks", MARKDOWN, lambda: "```js\nx\n```\n" * 60 * K, SLOW),
    ("code-of-open-tags", MARKDOWN, lambda: "```html+php\n" + "<a " * 300 * K + "\n```\n", SLOW),
    ("brackets", MARKDOWN, lambda: "[" * 400 * K, ""),
    (
        "references-to-a-long-address",
        MARKDOWN,
        lambda: "[x]: http://a/" + "u" * 500 * K + "\n\n" + "[x] " * 100 * K,
        "",
    ),
    ("longer-than-a-mebibyte", MARKDOWN, lambda: "x " * 700 * K, "It has more than 1048576"),
    ("nuls", MARKDOWN, lambda: "# a\0b\n\x1b[2J\n", ""),
    (
        "html-as-a-type",
        "text/html",
        lambda: "<script>alert(1)</script>",
        "not one that is rendered",
    ),
    ("type-of-noise", "text/plain; charset=\x07", lambda: "x", ""),
    (
        "rst-quotes-ever-deeper",
        RST,
        lambda: "\n".join(" " * n + "x\n" for n in range(400)),
        "nested too deep",
    ),
    (
        "rst-lists-ever-deeper",
        RST,
        lambda: "\n".join("  " * n + "- x\n" for n in range(500)),
        "nested too deep",
    ),
    ("rst-tables", RST, lambda: _grid(150), SLOW),
    ("rst-sections", RST, lambda: _sections(9 * K), SLOW),
    (
        "rst-substitutions-in-a-circle",
        RST,
        lambda: ".. |a| replace:: |b|\n.. |b| replace:: |a|\n\n|a|\n",
        "Circular substitution",
    ),
    ("rst-substitutions-that-grow", RST, _substitutions, "exceeds the line-length-limit"),
    ("rst-targets-in-a-circle", RST, lambda: ".. _a: b_\n.. _b: a_\n\na_\n", "circular reference"),
    ("rst-include", RST, lambda: ".. include:: /etc/passwd\n", '"include" directive disabled'),
    (
        "rst-include-of-itself",
        RST,
        lambda: ".. include:: README.rst\n" * 100,
        '"include" directive disabled',
    ),
    (
        "rst-raw",
        RST,
        lambda: ".. raw:: html\n\n   <script>alert(1)</script>\n",
        '"raw" directive disabled',
    ),
    (
        "rst-raw-by-a-role",
        RST,
        lambda: ".. role:: x(raw)\n   :format: html\n\n:x:`<b>`\n",
        "roles disabled",
    ),
    (
        "rst-table-of-a-file",
        RST,
        lambda: ".. csv-table::\n   :file: /etc/passwd\n",
        "access deactivated",
    ),
    (
        "rst-table-of-a-url",
        RST,
        lambda: ".. csv-table::\n   :url: http://127.0.0.1:9/\n",
        "access deactivated",
    ),
    ("rst-code-of-a-file", RST, lambda: ".. literalinclude:: /etc/passwd\n", "Unknown directive"),
    ("rst-line-of-a-mebibyte", RST, lambda: "x" * 1000 * K, "exceeds the line-length-limit"),
)
