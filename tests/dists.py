"""Real distributions made in memory: what a build backend of today, or of long ago, would write."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial

_DATE = (2026, 1, 1, 0, 0, 0)
_MTIME = 1_767_225_600
_COMPRESSED: Mapping[str, Callable[[bytes], bytes]] = {
    "tar": lambda packed: packed,
    "tar.bz2": bz2.compress,
    # A fixed time, or no two of them would be the same file.
    "tar.gz": partial(gzip.compress, mtime=_MTIME),
    "tgz": partial(gzip.compress, mtime=_MTIME),
}


def make_metadata(
    name: str,
    version: str,
    *,
    metadata_version: str = "2.1",
    requires_python: str = "",
    requires_dist: Iterable[str] = (),
    dynamic: Iterable[str] = (),
    extra_headers: Iterable[str] = (),
    description: str = "",
) -> bytes:
    """Return a METADATA or PKG-INFO text; `extra_headers` are whole lines."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires_dist]
    lines += [f"Dynamic: {field}" for field in dynamic]
    lines += extra_headers
    return ("\n".join(lines) + "\n" + (f"\n{description}" if description else "")).encode()


def make_wheel(
    name: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    build: str = "",
    requires_python: str = "",
    requires_dist: Iterable[str] = (),
    metadata_version: str = "2.1",
    extra_headers: Iterable[str] = (),
    description: str = "",
    files: Mapping[str, bytes] | None = None,
    spelled: str | None = None,
) -> tuple[str, bytes]:
    """Return file name and bytes of a wheel that installs one module.

    `files` are further members by path; one with the path of a generated member replaces it.
    `spelled` is the name as file name and .dist-info folder write it.
    """
    spelled = spelled or _escaped(name)
    folder = f"{spelled}-{version}.dist-info"
    members = {
        f"{_module(name)}.py": f'"""{name} {version}."""\n'.encode(),
        f"{folder}/METADATA": make_metadata(
            name,
            version,
            metadata_version=metadata_version,
            requires_python=requires_python,
            requires_dist=requires_dist,
            extra_headers=extra_headers,
            description=description,
        ),
        f"{folder}/WHEEL": _wheel_text(tag, build),
        **(files or {}),
    }
    members.setdefault(f"{folder}/RECORD", _record(members, f"{folder}/RECORD"))
    stem = "-".join(part for part in (spelled, version, build, tag) if part)
    return f"{stem}.whl", zip_of(members)


def make_sdist(
    name: str,
    version: str,
    *,
    format: str = "tar.gz",  # noqa: A002 - what setuptools calls it
    metadata_version: str = "2.2",
    dynamic: Iterable[str] = (),
    requires_python: str = "",
    requires_dist: Iterable[str] = (),
    extra_headers: Iterable[str] = (),
    description: str = "",
    pkg_info: bool = True,
    files: Mapping[str, bytes] | None = None,
    spelled: str | None = None,
) -> tuple[str, bytes]:
    """Return file name and bytes of an sdist that setuptools builds.

    `files` are further members by path below the top folder. The .egg-info of setuptools comes
    before PKG-INFO, as it may.
    """
    stem = f"{spelled or _escaped(name)}-{version}"
    metadata = make_metadata(
        name,
        version,
        metadata_version=metadata_version,
        dynamic=dynamic,
        requires_python=requires_python,
        requires_dist=requires_dist,
        extra_headers=extra_headers,
        description=description,
    )
    module = _module(name)
    inside = {
        f"{module}.egg-info/PKG-INFO": metadata,
        "pyproject.toml": _pyproject(name, version, module),
        f"{module}.py": f'"""{name} {version}."""\n'.encode(),
        **({"PKG-INFO": metadata} if pkg_info else {}),
        **(files or {}),
    }
    members = {f"{stem}/{path}": content for path, content in inside.items()}
    return f"{stem}.{format}", _packed(members, format)


def make_egg(
    name: str,
    version: str,
    *,
    python: str = "3.11",
    platform: str = "",
    pkg_info: bool = True,
    requires_python: str = "",
) -> tuple[str, bytes]:
    """Return file name and bytes of an egg as old setuptools wrote it."""
    members = {
        f"{_module(name)}.py": f'"""{name} {version}."""\n'.encode(),
        "EGG-INFO/top_level.txt": f"{_module(name)}\n".encode(),
        "EGG-INFO/zip-safe": b"\n",
    }
    if pkg_info:
        members["EGG-INFO/PKG-INFO"] = make_metadata(
            name, version, metadata_version="1.2", requires_python=requires_python
        )
    escaped = (name.replace("-", "_"), version.replace("-", "_"), f"py{python}", platform)
    return f"{'-'.join(part for part in escaped if part)}.egg", zip_of(members)


def make_dumb(
    name: str,
    version: str,
    *,
    platform: str = "linux-x86_64",
    format: str = "tar.gz",  # noqa: A002 - what distutils calls it
) -> tuple[str, bytes]:
    """Return file name and bytes of a bdist_dumb archive: an installed tree, packed."""
    top = "" if format == "zip" else "./"  # of distutils' archivers, only that of zips normalises
    site = f"{top}usr/local/lib/python3.11/site-packages"
    members = {
        f"{site}/{_module(name)}.py": f'"""{name} {version}."""\n'.encode(),
        f"{site}/{_module(name)}-{version}.egg-info": make_metadata(
            name, version, metadata_version="1.0"
        ),
    }
    return f"{name}-{version}.{platform}.{format}", _packed(members, format)


def zip_of(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive of these members, the same bytes every time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path, _DATE)
            info.compress_type = compression
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return packed.getvalue()


def tar_of(members: Mapping[str, bytes], *, format: str = "tar.gz") -> bytes:  # noqa: A002 - as above
    """Return a tar archive of these members, the same bytes every time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:") as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            info.mtime = _MTIME
            archive.addfile(info, io.BytesIO(content))
    return _COMPRESSED[format](packed.getvalue())


def _packed(members: Mapping[str, bytes], format: str) -> bytes:  # noqa: A002 - as above
    return zip_of(members) if format == "zip" else tar_of(members, format=format)


def _escaped(name: str) -> str:
    """Return a name as PEP 427 and PEP 625 put it into a file name."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _module(name: str) -> str:
    return _escaped(name)


def _wheel_text(tag: str, build: str) -> bytes:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = [f"{python}-{abi}-{on}" for python in pythons for abi in abis for on in platforms]
    pure = "true" if platforms == ["any"] else "false"
    lines = ["Wheel-Version: 1.0", "Generator: larder-tests", f"Root-Is-Purelib: {pure}"]
    lines += [f"Tag: {tag}" for tag in tags]
    lines += [f"Build: {build}"] if build else []
    return ("\n".join(lines) + "\n").encode()


def _record(members: Mapping[str, bytes], path: str) -> bytes:
    lines = []
    for member, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{member},sha256={digest},{len(content)}")
    return ("\n".join([*lines, f"{path},,"]) + "\n").encode()


def _pyproject(name: str, version: str, module: str) -> bytes:
    return (
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n\n'
        f'[tool.setuptools]\npy-modules = ["{module}"]\n'
    ).encode()
