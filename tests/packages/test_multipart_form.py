"""How much of a form is held while it is read: everything in it but the file counts."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from base.bodies import Body
from packages.multipart_form import BrokenForm, MultipartForm
from packages.uploads import FORM_AROUND_THE_FILE

FIELD = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n%s\r\n'
END = b"--B--\r\n"


class Coming(io.RawIOBase):
    """A body that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._held = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, fewer at the end."""
        assert size is not None
        while len(self._held) < size and (part := next(self._parts, b"")):
            self._held += part
        read, self._held = self._held[:size], self._held[size:]
        return read


def read_form(parts: Iterator[bytes]) -> tuple[int, dict[str, list[str]]]:
    """Return the size of the file in a form of unknown length, and the fields."""
    body = Body({"wsgi.input": Coming(parts), "HTTP_TRANSFER_ENCODING": "chunked"})
    form = MultipartForm("multipart/form-data; boundary=B", body)
    file = form.file()
    assert file is not None
    return sum(len(chunk) for chunk in file.chunks), form.fields


def flood(what: str) -> Iterator[bytes]:
    """Yield a form that grows far beyond what a form may hold."""
    if what == "behind the file":
        yield FILE % b"x"
    for number in range(19_000):
        match what:
            case "names":
                yield FIELD % (b"%07d" % number + b"n" * 7900, b"")
            case "headers":
                yield b"--B\r\nX: %s\r\n" % (b"x" * 7900) + FIELD[5:] % (b"n", b"")
            case "one value":
                yield b"x" * 10_000 if number else FIELD[:-2] % (b"n", b"")
            case _:
                yield FIELD % (b"n", b"x" * 7900)
    yield FILE % b"x" + END


@pytest.mark.parametrize(
    "what", ["names", "headers", "values", "one value", "behind the file", "before any field"]
)
def test_a_flood_is_refused_before_it_is_held(what: str) -> None:
    parts = flood(what)
    if what == "before any field":
        parts = (b"x" * 10_000 for _ in range(19_000))
    tracemalloc.start()
    try:
        with pytest.raises(BrokenForm, match=f"larger than {FORM_AROUND_THE_FILE} bytes"):
            read_form(parts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * FORM_AROUND_THE_FILE


def test_only_what_is_around_the_file_counts() -> None:
    size = 3 * FORM_AROUND_THE_FILE
    almost = FIELD % (b"description", b"x" * (FORM_AROUND_THE_FILE - 1000))
    before = iter([almost, FILE % bytes(size), END])
    behind = iter([FILE % bytes(size), almost, END])
    for parts in (before, behind):
        read, fields = read_form(parts)
        assert read == size
        assert fields.keys() == {"description"}
