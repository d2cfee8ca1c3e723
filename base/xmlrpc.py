"""Reads and writes XML-RPC: a call that pip sends us, an answer that an upstream sends.

Read with a parser that refuses entities and document types, from bytes whose number the caller has
bounded; what it builds is bounded in depth and number here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xmlrpc.client import Fault, dumps

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from base.errors import InvalidInput

CONTENT_TYPE = "text/xml"

_DEPTH_AT_MOST = 10
_VALUES_AT_MOST = 200_000
_WHOLE_NUMBERS = frozenset({"int", "i4", "i8"})

Value = None | bool | int | str | list["Value"] | dict[str, "Value"]


class XmlRpcRefused(InvalidInput):
    """This is no XML-RPC, or more than is read of it."""


class XmlRpcFault(InvalidInput):
    """The other side answers that it cannot do what it was asked."""


def read_call(body: bytes) -> tuple[str, list[Value]]:
    """Return method and parameters of a call. Raises XmlRpcRefused."""
    call = _root(body, "methodCall")
    return (call.findtext("methodName") or "").strip(), _params(call)


def read_answer(body: bytes) -> Value:
    """Return the value of an answer. Raises XmlRpcRefused and XmlRpcFault."""
    answer = _root(body, "methodResponse")
    if (fault := answer.find("fault/value")) is not None:
        said = _Reader().value(fault, depth=0)
        raise XmlRpcFault(str(said.get("faultString", "")) if isinstance(said, dict) else "")
    values = _params(answer)
    if len(values) != 1:
        raise XmlRpcRefused("An XML-RPC answer holds one value.")
    return values[0]


def written_call(method: str, params: Sequence[Any]) -> bytes:
    """Return a call."""
    return dumps(tuple(params), method, encoding="utf-8").encode()


def written_answer(value: Sequence[Any]) -> bytes:
    """Return an answer with a list."""
    return dumps((list(value),), methodresponse=True, encoding="utf-8").encode()


def written_fault(code: int, sentence: str) -> bytes:
    """Return an answer that says why there is none."""
    return dumps(Fault(code, sentence), encoding="utf-8").encode()


def _root(body: bytes, tag: str) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, ParseError, LookupError, ValueError):
        # LookupError and ValueError: an encoding that nobody knows, or not of these bytes.
        raise XmlRpcRefused("This is no XML that is read here.") from None
    if root.tag != tag:
        raise XmlRpcRefused(f"This is XML, but no {tag} of XML-RPC.")
    return root


def _params(parent: Element) -> list[Value]:
    reader = _Reader()
    return [reader.value(each, depth=0) for each in parent.findall("params/param/value")]


class _Reader:
    """Turns elements into values, as many as there may be."""

    def __init__(self) -> None:
        self._left = _VALUES_AT_MOST

    def value(self, element: Element, *, depth: int) -> Value:
        """Return what a `value` element holds."""
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_AT_MOST:
            raise XmlRpcRefused("This is larger or deeper than what is read here.")
        inner = next(iter(element), None)
        if inner is None:  # without a type it is a string
            return element.text or ""
        if inner.tag == "array":
            return [self.value(each, depth=depth + 1) for each in inner.findall("data/value")]
        if inner.tag == "struct":
            return dict(self._member(each, depth) for each in inner.findall("member"))
        return _plain(inner.tag, inner.text or "")

    def _member(self, element: Element, depth: int) -> tuple[str, Value]:
        held = element.find("value")
        name = element.findtext("name") or ""
        return name, None if held is None else self.value(held, depth=depth + 1)


def _plain(kind: str, text: str) -> Value:
    if kind == "nil":
        return None
    if kind == "boolean":
        return text.strip() == "1"
    # Of dates and the like the text is enough.
    return _number(text) if kind in _WHOLE_NUMBERS else text


def _number(text: str) -> int:
    try:
        return int(text[:20])
    except ValueError:
        raise XmlRpcRefused("A number in this is none.") from None
