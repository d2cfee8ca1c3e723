"""Reads the multipart form of an upload as it arrives, without holding the file.

Both doors do: what clients send, and the page for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from base.bodies import Body, BodyBroken
from base.errors import InvalidInput
from packages.filenames import shown
from packages.uploads import FORM_AROUND_THE_FILE

_FIELDS_AT_MOST = 20_000
# The parts of the form that carry a file. The signature is read and let go.
_CONTENT = "content"


class BrokenForm(InvalidInput):
    """The body is not the form that an upload is."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """The file in a form: its chunks read the form to its end, and its fields may grow meanwhile.

    `declared_size` is of the file and what follows it in the form, in bytes; None when unknown.
    """

    filename: str
    chunks: Iterator[bytes]
    declared_size: int | None


class MultipartForm:
    """One form while it is read: the fields, and the chunks of the file between them."""

    def __init__(self, content_type: str, body: Body) -> None:
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise BrokenForm("An upload is a multipart/form-data form with the file in it.")
        self.fields: dict[str, list[str]] = {}
        self._body = body
        self._around_the_file = 0  # bytes, names and headers of fields too: all of it is held
        self._parser = PushMultipartParser(
            options["boundary"], max_header_size=8192, max_segment_count=_FIELDS_AT_MOST
        )
        self._events = self._parsed()

    def file(self) -> ReceivedFile | None:
        """Return the file once it has begun; None when the form has none."""
        segment = self._read_fields()
        if segment is None:
            return None
        if not segment.filename:
            raise BrokenForm("The file in the form has no file name.")
        return ReceivedFile(segment.filename, self._file_then_rest(), self._body.left)

    def _file_then_rest(self) -> Iterator[bytes]:
        for event in self._events:
            if event is None:
                break
            if isinstance(event, (bytes, bytearray)):
                self._around_the_file -= len(event)
                yield bytes(event)
        if self._read_fields() is not None:
            raise BrokenForm("The form has more than one file.")

    def _read_fields(self) -> MultipartSegment | None:
        """Read fields until the file begins, and return its part; None at the form's end."""
        for event in self._events:
            if not isinstance(event, MultipartSegment):
                continue
            if event.name == _CONTENT:
                return event
            self._read_field(event)
        return None

    def _read_field(self, segment: MultipartSegment) -> None:
        value = bytearray()
        for event in self._events:
            if not isinstance(event, (bytes, bytearray)):
                break
            if segment.filename is None:  # a signature is read and let go
                value += event
        if segment.filename is None:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                raise BrokenForm(f"The field {shown(segment.name)} is not UTF-8 text.") from None
            if "\x00" in text:
                raise BrokenForm(f"The field {shown(segment.name)} holds a NUL character.")
            self.fields.setdefault(segment.name, []).append(text)

    def _parsed(self) -> Iterator[MultipartSegment | bytes | bytearray | None]:
        try:
            while not self._parser.closed:
                chunk = self._body.read()
                if not chunk and self._body.left:
                    raise BrokenForm("The upload was cut off before its end.")
                self._around_the_file += len(chunk)
                yield from self._parser.parse(chunk)
                # All of the file in this chunk has been counted out by now.
                if self._around_the_file > FORM_AROUND_THE_FILE:
                    raise BrokenForm(
                        f"The fields of the form are larger than {FORM_AROUND_THE_FILE} bytes."
                    )
                if not chunk:
                    break
            self._parser.close()
        except MultipartError as error:
            raise BrokenForm(f"The form cannot be read: {error}.") from None
        except BodyBroken as error:
            raise BrokenForm(error.sentence) from None
