"""Reads a tar to its end, member by member, holding no more than the names."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import Each, Tree, link_target, member_name, safe_path
from packages.archive.tar_headers import (
    BLOCK,
    DECIDING,
    ZEROS,
    Header,
    read_header,
    read_records,
)
from packages.filenames import shown

_FILES = (b"0", b"\0")
_HARD_LINK, _SYMBOLIC_LINK, _FOLDER = b"1", b"2", b"5"
_SPECIAL = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a fifo",
    b"7": "a contiguous file",
    b"S": "a sparse file",
}
# How long a name may be and still stand in the header, where old readers look for it.
_FITS = 100
# From here on a size does not fit the header's twelve octal digits.
_LARGEST_IN_HEADER = 8**11


class TarContents:
    """What a tar holds, which is known once every byte of it has passed by."""

    def __init__(self, stream: Iterator[bytes], judgement: Judgement) -> None:
        self._stream = stream
        self._judgement = judgement
        self.tree = Tree(judgement)

    def check_every_byte(self, each: Each | None = None) -> None:
        """Read all of it, once; `each` is given path, size and pieces of every file."""
        unpacked = _Unpacked(self._stream, self._judgement)
        _Reader(unpacked, self.tree, self._judgement, each).read()


class _Unpacked:
    """The unpacked bytes of a tar, forward only, within the bounds of bombs."""

    def __init__(self, stream: Iterator[bytes], judgement: Judgement) -> None:
        self._stream = stream
        self._judgement = judgement
        self._held = b""
        self._at = 0
        self._total = 0

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        return b"".join(self._parts(size))

    def skip(self, size: int) -> int:
        """Pass over `size` bytes and return how many there were."""
        return sum(map(len, self._parts(size)))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes as they come."""
        for part in self._parts(size):
            size -= len(part)
            yield part
        if size:
            raise self._judgement.damaged("a member")

    def rest(self) -> Iterator[bytes]:
        """Yield everything up to the end."""
        while part := self._next(limits.CHUNK):
            yield part

    def _parts(self, size: int) -> Iterator[bytes]:
        while size and (part := self._next(size)):
            size -= len(part)
            yield part

    def _next(self, size: int) -> bytes:
        while self._at == len(self._held):
            piece = next(self._stream, None)
            if piece is None:
                return b""
            self._held, self._at = piece, 0
            self._total += len(piece)
            self._judgement.require_unpacked(self._total)
        part = self._held[self._at : self._at + size]
        self._at += len(part)
        return part


@dataclass(slots=True)
class _Extension:
    """What the headers before a member say of it: one of POSIX's, or GNU's for long names."""

    kinds: set[bytes] = field(default_factory=set)
    records: dict[str, bytes] = field(default_factory=dict)


class _Reader:
    def __init__(
        self, unpacked: _Unpacked, tree: Tree, judgement: Judgement, each: Each | None
    ) -> None:
        self._unpacked = unpacked
        self._tree = tree
        self._judgement = judgement
        self._each = each
        self._count = 0
        self._globals = 0
        self._names = 0
        self._records = 0

    def read(self) -> None:
        extension = _Extension()
        while (block := self._block()) != ZEROS:
            header = read_header(block, self._judgement)
            match header.type:
                case b"g":
                    self._read_global(header, extension)
                case b"x" | b"L" | b"K":
                    self._extend(extension, header)
                case _:
                    self._member(header, extension)
                    extension = _Extension()
        if extension.kinds:
            raise self._judgement.refusal("has an extended header without a member behind it")
        self._read_the_end()
        self._tree.settle()

    def _block(self) -> bytes:
        block = self._unpacked.read(BLOCK)
        if len(block) != BLOCK:
            # POSIX: the end is a block of zeros (two, but one has always done).
            raise self._judgement.damaged("its tar, which has no end")
        return block

    def _read_the_end(self) -> None:
        """Only zeros may follow: writers fill up to a tape's block, readers stop or go on."""
        if any(part.strip(b"\0") for part in self._unpacked.rest()):
            raise self._judgement.refusal(
                "has bytes behind the end of its tar: some readers take them for a second "
                "archive, others pass over them"
            )

    def _read_global(self, header: Header, extension: _Extension) -> None:
        """POSIX: holds for all members that follow. git keeps a commit there."""
        self._globals += 1
        if self._globals > limits.MAX_GLOBAL_HEADERS:
            raise self._judgement.refusal(
                f"has more than {limits.MAX_GLOBAL_HEADERS} global headers"
            )
        records = self._records_of(header)
        if deciding := next((keyword for keyword in DECIDING if keyword in records), None):
            raise self._judgement.refusal(
                f"has a global header with a {deciding} for all members; tar readers differ in "
                "what they make of it"
            )
        if extension.kinds:
            raise self._chain()

    def _extend(self, extension: _Extension, header: Header) -> None:
        if extension.kinds and extension.kinds | {header.type} != {b"L", b"K"}:
            raise self._chain()
        extension.kinds.add(header.type)
        match header.type:
            case b"L":
                extension.records["path"] = self._long_text(header)
            case b"K":
                extension.records["linkpath"] = self._long_text(header)
            case _:
                extension.records = self._records_of(header)

    def _long_text(self, header: Header) -> bytes:
        """Return a name or a target as GNU tar writes it, up to the NUL at its end."""
        text, _, behind = self._header_data(header).partition(b"\0")
        if behind.strip(b"\0"):
            raise self._judgement.refusal(
                f"has bytes behind the long name {shown(text.decode(errors='replace'))}; to some "
                "readers they belong to it"
            )
        return text

    def _records_of(self, header: Header) -> dict[str, bytes]:
        records = read_records(self._header_data(header), self._judgement)
        self._records += len(records)
        if self._records > limits.MAX_TAR_RECORDS:
            raise self._judgement.refusal(
                f"has more than {limits.MAX_TAR_RECORDS} records in its extended headers"
            )
        return records

    def _chain(self) -> Exception:
        return self._judgement.refusal(
            "has several extended headers for one member; tar readers differ in which they take"
        )

    def _header_data(self, header: Header) -> bytes:
        self._names += header.size
        if header.size > limits.MAX_TAR_HEADER:
            raise self._judgement.refusal(
                f"has a member whose header is larger than {limits.MAX_TAR_HEADER} bytes"
            )
        self._require_few_names()
        return self._data(header.size)

    def _require_few_names(self) -> None:
        if self._names > limits.MAX_DIRECTORY:
            raise self._judgement.refusal(
                f"has more than {limits.MAX_DIRECTORY} bytes of names and headers"
            )

    def _data(self, size: int) -> bytes:
        data = self._unpacked.read(size)
        self._skip_exactly(-size % BLOCK if len(data) == size else 1)
        return data

    def _skip_exactly(self, size: int) -> None:
        if self._unpacked.skip(size) != size:
            raise self._judgement.damaged("a member")

    def _member(self, header: Header, extension: _Extension) -> None:
        self._count += 1
        self._judgement.require_few_members(self._count)
        raw = self._text_of("path", header, extension)
        self._names += len(raw)
        self._require_few_names()
        name = member_name(raw, self._judgement)
        size = self._size(name, header, extension)
        if header.type in _SPECIAL:
            raise self._judgement.refusal(f"has {shown(name)} as {_SPECIAL[header.type]}")
        is_folder = self._is_folder(name, header)
        if header.type not in _FILES and header.type not in (_HARD_LINK, _SYMBOLIC_LINK, _FOLDER):
            raise self._judgement.refusal(
                f"has {shown(name)} as a member of the unknown type {header.type!a}"
            )
        if size and (is_folder or header.type not in _FILES):
            # Some readers pass over those bytes, others take them for the next header.
            raise self._judgement.refusal(f"has bytes behind {shown(name)}, which is no file")
        if header.type not in (_HARD_LINK, _SYMBOLIC_LINK) and "linkpath" in extension.records:
            raise self._judgement.refusal(f"has a target for {shown(name)}, which is no link")
        if is_folder and name in (".", "./"):
            return
        # A tar made in its own folder has "./" in front of every name.
        path = safe_path(name.removeprefix("./"), self._judgement)
        self._take(path, header, extension, is_folder=is_folder, size=size)

    def _is_folder(self, name: str, header: Header) -> bool:
        """Say whether a member is a folder, by its type or, of old, by the slash at its end.

        Python asks the name in the header for that slash, GNU tar and libarchive the whole name,
        Rust's tar the whole name of what is not in POSIX's format. Whoever sees a folder looks for
        the next header where the others see the file's bytes.
        """
        if header.type == _FOLDER:
            return True
        in_header, in_name = header.name.endswith(b"/"), name.endswith("/")
        if header.type == b"\0" and in_header and in_name and not header.is_posix:
            return True
        # Long names are cut to fit, be it behind a slash; of the old type nobody writes any.
        is_cut = header.type != b"\0" and len(header.name) == _FITS
        if in_name or (in_header and not is_cut):
            raise self._judgement.refusal(
                f"has {shown(name)}, a file by its type and a folder by its name"
            )
        return False

    def _take(
        self, path: str, header: Header, extension: _Extension, *, is_folder: bool, size: int
    ) -> None:
        if is_folder:
            self._tree.add_folder(path, again=True)
        elif header.type in _FILES:
            self._tree.add_file(path, size)
        else:
            self._link(path, header, extension)
        if self._each is not None and header.type in _FILES and not is_folder:
            self._give(path, size, self._each)
            self._skip_exactly(-size % BLOCK)
        else:
            self._skip_exactly(size + -size % BLOCK)

    def _give(self, path: str, size: int, each: Each) -> None:
        """Let `each` have a file, and pass over what it leaves."""
        pieces = self._unpacked.pieces(size)
        each(path, size, pieces)
        deque(pieces, maxlen=0)

    def _link(self, path: str, header: Header, extension: _Extension) -> None:
        raw = self._text_of("linkpath", header, extension)
        self._names += len(raw)
        self._require_few_names()
        target = member_name(raw, self._judgement)
        if header.type == _SYMBOLIC_LINK:
            self._tree.add_link(path, link_target(path, target, self._judgement))
            return
        original = target.removeprefix("./")
        if original not in self._tree.files:
            raise self._judgement.refusal(
                f"has {shown(path)} as a hard link to {shown(target)}, which is no file before it"
            )
        self._tree.add_hard_link(path, original)

    def _text_of(self, keyword: str, header: Header, extension: _Extension) -> bytes:
        """Return a name, refusing one that could stand in the header where another stands."""
        in_header = header.name if keyword == "path" else header.link
        said = extension.records.get(keyword)
        if said is None:
            return in_header
        # A folder's name may end with "/" or not; of anything else that would make one for some.
        is_same = said == in_header or (
            header.type == _FOLDER and said.rstrip(b"/") == in_header.rstrip(b"/")
        )
        if len(said) <= _FITS and said.isascii() and not is_same:
            raise self._judgement.refusal(
                f"has a member that is called {shown(in_header.decode(errors='replace'))} in one "
                f"header and {shown(said.decode())} in another"
            )
        return said

    def _size(self, name: str, header: Header, extension: _Extension) -> int:
        said = int(extension.records.get("size", header.size))
        if said != header.size and not (said >= _LARGEST_IN_HEADER and header.size == 0):
            raise self._judgement.refusal(
                f"has {shown(name)} with {header.size} bytes by one header and {said} by another"
            )
        return said
