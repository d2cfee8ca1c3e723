"""pip search: XML-RPC, posted to the URL that uploads are posted to.

pip prints the text of a Fault and crashes at every HTTP error. So whatever is wrong is a Fault
with status 200; but for the challenge, at which pip asks for a user name and a password.
"""

from __future__ import annotations

from accounts.authentication import CredentialsRefused
from base import xmlrpc
from base.errors import InvalidInput, LarderError
from packages.search.offers import Offer, find_offers
from packages.upstream.search import SearchTerms
from pypi.answer import Answer, Ask
from pypi.errors import FromAnotherSite, LoopDetected, NoLongerOffered, status_of
from repos.access import SignInRequired

_CALL_BYTES_AT_MOST = 64 * 1024
_OPERATORS = {"or": False, "and": True}


class BrokenCall(InvalidInput):
    """The body is not the call that pip search makes."""


def is_search(ask: Ask) -> bool:
    """Say whether a POST is a search: by its content type, as other indexes tell it too."""
    return ask.header("content-type").partition(";")[0].strip().lower() == xmlrpc.CONTENT_TYPE


def search(ask: Ask) -> Answer:
    """Answer with the versions of what the words find, or with a Fault that says why not."""
    try:
        body = xmlrpc.written_answer([_struct(*each) for each in enumerate(_found(ask))])
    except (SignInRequired, CredentialsRefused, FromAnotherSite, LoopDetected):
        raise  # no pip sent the last two
    except LarderError as error:
        body = xmlrpc.written_fault(status_of(error), error.sentence)
    return Answer(
        status=200,
        headers={
            "Content-Type": xmlrpc.CONTENT_TYPE,
            "Cache-Control": "no-store",
            "Vary": "Authorization",
        },
        body=body,
    )


def _found(ask: Ask) -> list[Offer]:
    # Who may not read here is told before the call is read.
    repository = ask.readable
    terms = _terms(*xmlrpc.read_call(ask.body.whole(at_most=_CALL_BYTES_AT_MOST)))
    return find_offers(repository=repository, terms=terms, by=ask.principal, scope=ask.scope)


def _terms(method: str, params: list[xmlrpc.Value]) -> SearchTerms:
    if method != "search":
        raise NoLongerOffered(f"Of the XML-RPC methods only search is offered, not {method[:50]}.")
    fields, *rest = params or [None]
    operator = rest[0] if rest else "or"
    if not isinstance(fields, dict) or not isinstance(operator, str) or len(rest) > 1:
        raise BrokenCall("A search takes a struct of fields and an operator.")
    if operator not in _OPERATORS:
        raise BrokenCall(f"A search combines its fields with or, or with and, not {operator[:50]}.")
    return SearchTerms(
        names=_texts(fields.get("name")),
        summaries=_texts(fields.get("summary")),
        is_and=_OPERATORS[operator],
    )


def _texts(value: xmlrpc.Value) -> tuple[str, ...]:
    """Return the words of one field: pip sends a list, others have sent a text."""
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str) and each)


def _struct(number: int, offer: Offer) -> dict[str, object]:
    return {
        "name": offer.name,
        "version": offer.version,
        "summary": _xml_text(offer.summary),
        "_pypi_ordering": number,
    }


def _xml_text(text: str) -> str:
    """Return a text without what XML 1.0 cannot hold, however it is escaped."""
    return "".join(char if char.isprintable() else " " for char in text)
