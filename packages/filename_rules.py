"""What the public index asks of a file's name, beyond what installers can read."""

from __future__ import annotations

import re

from packages.filenames import DistributionName, FilenameRefused, Kind, shown

# PEP 600, PEP 656, PEP 730, PEP 738, PEP 783, and what came before them. A bare `linux_...` says
# nothing of the C library, so that only the machine it was built on is sure to run it.
_ARCH = r"(?:x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64)"
_APPLE_ARCH = r"(?:ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)"
_PUBLIC_PLATFORM = re.compile(
    rf"""any
    |win32|win_amd64|win_arm64|win_ia64
    |manylinux1_(?:x86_64|i686)
    |manylinux2010_(?:x86_64|i686)
    |manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)
    |manylinux_[0-9]+_[0-9]+_(?:{_ARCH}|ppc64)
    |musllinux_[0-9]+_[0-9]+_{_ARCH}
    |linux_armv[67]l
    |macosx_10_[0-9]+_{_APPLE_ARCH}
    |macosx_(?:1[1-9]|[2-9][0-9])_0_{_APPLE_ARCH}
    |ios_[0-9]+_[0-9]+_(?:arm64|x86_64)_iphone(?:os|simulator)
    |android_[0-9]+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)
    |pyemscripten_[0-9]+_[0-9]+_wasm32""",
    re.VERBOSE,
)


def require_public_name(named: DistributionName) -> None:
    """Refuse a file's name that the public index would not take. Raises FilenameRefused."""
    # PEP 427 and PEP 625: the name normalised, with "_" for "-".
    name = named.normalized.replace("-", "_")
    if named.version.local is not None:
        raise _refused(
            named, f"has the local version {shown(str(named.version))}; leave out what follows '+'"
        )
    match named.kind:
        case Kind.WHEEL:
            _require_public_wheel(named, name)
        case Kind.SDIST:
            right = f"{name}-{named.version}.tar.gz"
            if named.filename != right:
                raise _refused(named, f"should be called {shown(right)} (PEP 625)")
        case _:
            raise _refused(
                named, f"is packed as an old kind ({named.kind}); publish a wheel or an sdist"
            )


def _require_public_wheel(named: DistributionName, name: str) -> None:
    if named.name != name:
        raise _refused(named, f"should start with {shown(name)} (PEP 427)")
    for platform in named.filename.removesuffix(".whl").rpartition("-")[2].split("."):
        if not _PUBLIC_PLATFORM.fullmatch(platform.lower()):
            raise _refused(named, f"is for {shown(platform)}, which is no platform of its list")


def _refused(named: DistributionName, says: str) -> FilenameRefused:
    return FilenameRefused(f"{shown(named.filename)} {says}: this repository's rules are strict.")
