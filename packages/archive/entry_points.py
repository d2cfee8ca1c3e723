"""Reads a wheel's entry_points.txt line by line, refusing what its readers take differently.

PyPA, "Entry points specification": a file as configparser reads it, with `=` alone between name and
value and letter case kept. importlib.metadata knows less of such files: it splits every line at its
first `=`. What the two make something else of is refused, for which scripts are written must not
hang on the installer. configparser itself takes hours over a line of a million spaces.
"""

from __future__ import annotations

import re

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import holds_control
from packages.filenames import shown

# INI files have what stands under DEFAULT in every other section too.
_SECTIONS_OF_SCRIPTS = ("console_scripts", "gui_scripts", "DEFAULT")
# A name becomes a file's name.
_SCRIPT_NAME = re.compile(r"[\w.-]+")


class _Odd(Exception):
    """What a line holds that it should not, as the end of a sentence."""


def check_entry_points(raw: bytes, path: str, judgement: Judgement) -> None:
    """Refuse entry points that installers stumble over, or that name scripts elsewhere."""
    try:
        text = raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise judgement.refusal(f"has {shown(path)}, which is not UTF-8") from None
    if text.count("\n") > limits.MAX_ENTRY_POINT_LINES:
        raise judgement.refusal(
            f"has {shown(path)} of more than {limits.MAX_ENTRY_POINT_LINES} lines"
        )
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            reading.take(line)
        except _Odd as odd:
            raise judgement.refusal(f"has in line {number} of {shown(path)} {odd}") from None


class _Reading:
    """How far a file has been read: its section, the names in it, how deep they are indented."""

    def __init__(self) -> None:
        self._sections: set[str] = set()
        self._section = ""
        self._names: set[str] = set()
        # Of the last entry in this section; none yet.
        self._indent: int | None = None

    def take(self, line: str) -> None:
        if len(line) > limits.MAX_ENTRY_POINT_LINE:
            raise _Odd(f"a line of more than {limits.MAX_ENTRY_POINT_LINE} characters")
        if holds_control(line.replace("\t", " ")):
            raise _Odd("a control character")
        stripped = line.strip()
        # INI files have both comments; where the other kind of reader knows `#` alone, it makes
        # an entry of what else has a `=`, and so does this one.
        if not stripped or stripped[0] == "#" or (stripped[0] == ";" and "=" not in stripped):
            return
        indent = len(line) - len(line.lstrip())
        if self._indent is not None and indent > self._indent:
            raise _Odd(
                "a line that is indented: more of the value before it to some readers, an entry "
                "of its own to others"
            )
        if stripped[0] == "[":
            self._open(stripped)
        else:
            self._indent = indent
            self._add(stripped)

    def _open(self, header: str) -> None:
        section = header[1:-1]
        if header[-1] != "]" or not section.strip() or "[" in section or "]" in section:
            raise _Odd(f"the section {shown(header)}, which is none")
        if section in self._sections:
            raise _Odd(f"the section {shown(section)} once more")
        self._sections.add(section)
        self._section, self._names, self._indent = section, set(), None

    def _add(self, entry: str) -> None:
        name, equals, _ = entry.partition("=")
        name = name.rstrip()
        if not (equals and name):
            raise _Odd(f"{shown(entry)}, which is not a name, '=' and a value")
        if not self._section:
            raise _Odd(f"the entry {shown(name)} before any section")
        if name in self._names:
            raise _Odd(f"the entry {shown(name)} once more")
        self._names.add(name)
        is_script = self._section.strip() in _SECTIONS_OF_SCRIPTS
        if is_script and not _SCRIPT_NAME.fullmatch(name):
            raise _Odd(f"the script {shown(name)}, which is no name for one")
