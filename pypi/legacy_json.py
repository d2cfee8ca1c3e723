"""The legacy JSON API: `pypi/<project>/json` and `pypi/<project>/<version>/json`.

There is no PEP for it. Its shape is what the public index documents and scripts read.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin

from packaging.utils import canonicalize_version

from packages.filenames import Kind, NormalizedName, VersionRefused, parse_version
from packages.index.base import Index, PageFile, ProjectNotFound, ProjectPage
from packages.index.opening import open_index
from packages.metadata import CoreMetadata, readable_metadata
from packages.versions import newest_version
from pypi.answer import Answer, Ask
from pypi.render import file_url, upload_time
from pypi.simple import readable_name, revalidated

# The words of the legacy upload API.
_PACKAGE_TYPES = {
    Kind.WHEEL: "bdist_wheel",
    Kind.SDIST: "sdist",
    Kind.EGG: "bdist_egg",
    Kind.DUMB: "bdist_dumb",
}


def project_json(ask: Ask, project: str, version: str = "") -> Answer:
    """Answer with what is known of a project, at `version` or at its newest one."""
    repository = ask.readable
    name = readable_name(project, str(repository))
    index = open_index(repository, ask.principal, ask.scope)
    page = index.page(name)
    releases: dict[str, list[PageFile]] = defaultdict(list)
    for file in page.files:
        releases[file.version].append(file)
    chosen = _asked(releases, version, f"{name} in {repository}") if version else _newest(page)
    files = releases[chosen] if chosen else []
    # Scripts fetch these as they are: absolute, unlike the links of the Simple API.
    page_url = ask.url.partition("?")[0].rstrip("/")
    to_repository = urljoin(page_url, "../../../" if version else "../../")
    answer: dict[str, object] = {
        "info": _info(page, chosen, files, _metadata_of(index, name, files)),
        "last_serial": page.serial,
        "urls": [_file(to_repository, name, file) for file in files],
        "vulnerabilities": [],
    }
    if not version:
        answer["releases"] = {
            each: [_file(to_repository, name, file) for file in held]
            for each, held in releases.items()
        }
    body = json.dumps(answer, ensure_ascii=False).encode()
    return revalidated(ask, body, {"Content-Type": "application/json"})


def _asked(releases: Mapping[str, object], version: str, where: str) -> str:
    """Return the release that `version` names, in whatever equal spelling."""
    try:
        wanted = canonicalize_version(parse_version(version))
    except VersionRefused:
        wanted = ""
    for each in releases:
        if canonicalize_version(each) == wanted:
            return each
    raise ProjectNotFound(f"There is no version {version} of {where}.")


def _newest(page: ProjectPage) -> str:
    offered: dict[str, bool] = defaultdict(bool)
    for file in page.files:
        offered[file.version] |= file.yanked_reason is None
    return newest_version(offered)


def _metadata_of(
    index: Index, name: NormalizedName, files: Sequence[PageFile]
) -> CoreMetadata | None:
    for file in files:
        if file.metadata_sha256:
            return readable_metadata(index.metadata(name, file.filename))
    return None


def _info(
    page: ProjectPage, version: str, files: Sequence[PageFile], metadata: CoreMetadata | None
) -> dict[str, object]:
    reasons = [file.yanked_reason for file in files]
    yanked = bool(reasons) and None not in reasons
    info: dict[str, object] = {
        "name": metadata.name if metadata else page.name,
        "version": version,
        "yanked": yanked,
        "yanked_reason": next((reason for reason in reasons if reason), None) if yanked else None,
        "requires_python": next((file.requires_python for file in files), "") or None,
    }
    if metadata is not None:
        info |= {
            "summary": metadata.summary,
            "description": metadata.description,
            "description_content_type": metadata.description_content_type or None,
            "keywords": metadata.keywords or None,
            "author": metadata.author or None,
            "author_email": metadata.author_email or None,
            "maintainer": metadata.maintainer or None,
            "maintainer_email": metadata.maintainer_email or None,
            "license": metadata.license or None,
            "license_expression": metadata.license_expression or None,
            "license_files": list(metadata.license_files),
            "home_page": metadata.home_page or None,
            "download_url": metadata.download_url or None,
            "project_urls": dict(metadata.project_urls) or None,
            "classifiers": list(metadata.classifiers),
            "requires_dist": list(metadata.requires_dist) or None,
            "provides_extra": list(metadata.provides_extra) or None,
        }
    return info


def _file(to_repository: str, name: NormalizedName, file: PageFile) -> dict[str, object]:
    return {
        "filename": file.filename,
        "url": file_url(name, file, to_repository=to_repository),
        "digests": {"sha256": file.sha256} if file.sha256 else {},
        "size": file.size,
        "packagetype": _PACKAGE_TYPES[Kind(file.kind)],
        "python_version": file.python_tag or "source",
        "requires_python": file.requires_python or None,
        "upload_time_iso_8601": upload_time(file.uploaded_at) if file.uploaded_at else None,
        "yanked": file.yanked_reason is not None,
        "yanked_reason": file.yanked_reason or None,
    }
