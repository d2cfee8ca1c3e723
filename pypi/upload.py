"""Takes uploads by the legacy upload API, as every publishing client speaks it.

One URL, the repository's own; success is 200, and a POST is never redirected.
"""

from __future__ import annotations

from packages.multipart_form import BrokenForm, MultipartForm
from packages.publish import publish
from packages.uploads import Upload
from packages.visibility import hidden_above
from pypi.answer import Answer, Ask
from pypi.errors import NoLongerOffered
from pypi.let_in import let_in
from pypi.search import is_search, search


def post(ask: Ask) -> Answer:
    """Answer a POST to the repository's URL: an upload, or pip search by its content type."""
    return search(ask) if is_search(ask) else _upload(ask)


def _upload(ask: Ask) -> Answer:
    # Who may not publish here is told before the form is read.
    target = let_in(ask)
    form = MultipartForm(ask.header("content-type"), ask.body)
    file = form.file()
    action = next(iter(form.fields.get(":action", [])), ask.query.get(":action", "file_upload"))
    if action in {"submit", "submit_pkg_info", "doc_upload"}:
        # Old clients announce a name before they upload. No name has to be announced here.
        raise NoLongerOffered(f"'{action}' is not needed: upload the files, the rest follows.")
    if action != "file_upload":
        raise BrokenForm(f"The form asks for '{action[:50]}'; this URL takes file_upload.")
    if file is None:
        raise BrokenForm("The form has no file in it.")
    upload = Upload(file.filename, file.chunks, form.fields, file.declared_size)
    published = publish(target=target, upload=upload, by=ask.principal)
    told = [] if published.created else ["The same file was here already; nothing was changed."]
    told += hidden_above(published.distribution, by=ask.principal)
    text = "".join(f"{sentence}\n" for sentence in told)
    return Answer(
        status=200, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode()
    )
