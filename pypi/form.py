"""Reads the multipart form of an upload as it arrives, without holding the file."""

from __future__ import annotations

from collections.abc import Iterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from base.bodies import BodyBroken
from packages.filenames import shown
from packages.uploads import FORM_AROUND_THE_FILE, Upload
from pypi.answer import Ask
from pypi.errors import BrokenForm

_FIELDS_AT_MOST = 20_000
# The parts of the form that carry a file. The signature is read and let go.
_CONTENT = "content"


class FormReader:
    """Reads one upload's form: the fields, and the chunks of the file between them."""

    def __init__(self, ask: Ask) -> None:
        kind, options = parse_options_header(ask.header("content-type"))
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise BrokenForm("An upload is a multipart/form-data form with the file in it.")
        self.fields: dict[str, list[str]] = {}
        self._body = ask.body
        self._around_the_file = 0  # bytes, names and headers of fields too: all of it is held
        self._parser = PushMultipartParser(
            options["boundary"], max_header_size=8192, max_segment_count=_FIELDS_AT_MOST
        )
        self._events = self._parsed()

    def upload(self) -> Upload | None:
        """Return the upload once the file has begun; None when the form has no file.

        Its chunks read the form to the end, and its fields may grow meanwhile.
        """
        segment = self._read_fields()
        if segment is None:
            return None
        if not segment.filename:
            raise BrokenForm("The file in the form has no file name.")
        return Upload(
            filename=segment.filename,
            chunks=self._file_then_rest(),
            fields=self.fields,
            declared_size=self._body.left,
        )

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
