"""Tells native code by its first bytes, whatever the file is called."""

from __future__ import annotations

import posixpath
import re
import struct

_SUFFIXES = re.compile(r"\.(?:so(?:\.[0-9.]+)?|pyd|dll|dylib)\Z")
_ELF_MACHINES = {
    3: "x86",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
}
_MACH_MACHINES = {7: "x86", 0x1000007: "x86_64", 12: "arm", 0x100000C: "arm64"}
_PE_MACHINES = {0x14C: "x86", 0x8664: "x86_64", 0x1C0: "arm", 0x1C4: "arm", 0xAA64: "arm64"}
_MACH = {b"\xfe\xed\xfa\xce": ">", b"\xfe\xed\xfa\xcf": ">", b"\xce\xfa\xed\xfe": "<"}
_MACH |= {b"\xcf\xfa\xed\xfe": "<"}
# A Java class begins like a Mach-O file for several machines; it has its version, 45 or more,
# where that has their number.
_FAT, _MACHINES_AT_MOST = b"\xca\xfe\xba\xbe", 20


def native_in(path: str, head: bytes) -> dict[str, str] | None:
    """Return format and machine of a file that is native code; None for any other."""
    found = _elf(head) or _mach(head) or _pe(head)
    if found is None and _SUFFIXES.search(posixpath.basename(path).lower()):
        found = ("unknown", "")  # by its name: a linker's script, perhaps, or an empty file
    return {"path": path, "format": found[0], "machine": found[1]} if found else None


def _elf(head: bytes) -> tuple[str, str] | None:
    if head[:4] != b"\x7fELF" or len(head) < 20:  # noqa: PLR2004 - where the machine ends
        return None
    (machine,) = struct.unpack_from(">H" if head[5] == 2 else "<H", head, 18)  # noqa: PLR2004 - ELFDATA2MSB
    return "ELF", _ELF_MACHINES.get(machine, f"machine {machine}")


def _mach(head: bytes) -> tuple[str, str] | None:
    if head[:4] in _MACH and len(head) >= 8:  # noqa: PLR2004 - where the machine ends
        (machine,) = struct.unpack_from(f"{_MACH[head[:4]]}L", head, 4)
        return "Mach-O", _MACH_MACHINES.get(machine, f"machine {machine}")
    if head[:4] == _FAT and len(head) >= 8:  # noqa: PLR2004 - the same
        (count,) = struct.unpack_from(">L", head, 4)
        if 0 < count <= _MACHINES_AT_MOST and len(head) >= 8 + 20 * count:
            machines = (struct.unpack_from(">L", head, 8 + 20 * index)[0] for index in range(count))
            names = (_MACH_MACHINES.get(machine, f"machine {machine}") for machine in machines)
            return "Mach-O", ", ".join(names)
    return None


def _pe(head: bytes) -> tuple[str, str] | None:
    """Follow the offset in the old header; what other files begin with MZ has no PE there."""
    if head[:2] != b"MZ" or len(head) < 64:  # noqa: PLR2004 - the length of the old header
        return None
    (at,) = struct.unpack_from("<L", head, 60)
    if head[at : at + 4] != b"PE\0\0" or len(head) < at + 6:
        return None
    (machine,) = struct.unpack_from("<H", head, at + 4)
    return "PE", _PE_MACHINES.get(machine, f"machine {machine:#x}")
