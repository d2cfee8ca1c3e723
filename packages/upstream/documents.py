"""Packs what upstream said of a project for `UpstreamPage.document`, and unpacks it."""

from __future__ import annotations

import zlib

import msgspec

from packages.upstream.links import Document

_LEVEL = 3
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Document)


def packed(document: Document) -> bytes:
    """Return the document as bytes: equal for equal documents."""
    return zlib.compress(_encoder.encode(document), _LEVEL)


def unpacked(data: bytes) -> Document:
    """Return the document that `packed` made into `data`."""
    return _decoder.decode(zlib.decompress(data))
