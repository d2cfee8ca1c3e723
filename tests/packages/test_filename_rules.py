"""Which names of files strict rules take."""

from __future__ import annotations

import pytest

from packages.filename_rules import require_public_name
from packages.filenames import FilenameRefused, parse_filename

PUBLIC = (
    *("any", "win32", "win_amd64", "win_arm64"),
    *("manylinux1_x86_64", "manylinux2010_i686", "manylinux2014_s390x", "manylinux_2_28_ppc64"),
    *("manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_riscv64"),
    *("macosx_10_9_x86_64", "macosx_11_0_arm64", "macosx_26_0_universal2"),
    *("linux_armv6l", "linux_armv7l", "ios_13_0_arm64_iphoneos", "ios_15_4_x86_64_iphonesimulator"),
    *("android_21_arm64_v8a", "pyemscripten_2025_0_wasm32"),
)
OTHER = (
    *("linux_x86_64", "linux_aarch64", "linux_i686", "manylinux_x86_64", "manylinux2014_riscv64"),
    *("musllinux_1_2_ppc64", "macosx_11_1_arm64", "macosx_9_0_ppc", "macosx_10_9_m68k"),
    *("win_frog", "emscripten_3_1_58_wasm32", "android_21_mips", "ios_13_0_arm64_watch"),
    *("any.linux_x86_64", "anyx", "solaris_2_11_sparc"),
)


def judge(filename: str, version: str = "1.0", name: str = "frog") -> None:
    require_public_name(parse_filename(filename, name=name, version=version))


@pytest.mark.parametrize("platform", PUBLIC)
def test_a_platform_of_the_public_index(platform: str) -> None:
    judge(f"frog-1.0-py3-none-{platform}.whl")


@pytest.mark.parametrize("platform", OTHER)
def test_another_platform(platform: str) -> None:
    with pytest.raises(FilenameRefused, match="which is no platform of its list"):
        judge(f"frog-1.0-py3-none-{platform}.whl")


@pytest.mark.parametrize(
    ("filename", "version", "name"),
    [
        ("frog_fu-1.0-py3-none-any.whl", "1.0", "Frog.Fu"),
        ("frog-01.0-7-py3-none-any.whl", "1.0", "frog"),
        ("frog_fu-1.0.tar.gz", "1.0", "frog-fu"),
        ("frog-1.0.post1.tar.gz", "1.0-1", "frog"),
    ],
)
def test_a_name_in_normal_form(filename: str, version: str, name: str) -> None:
    judge(filename, version, name)


@pytest.mark.parametrize(
    ("filename", "version", "name", "says"),
    [
        ("Frog-1.0-py3-none-any.whl", "1.0", "frog", "should start with 'frog'"),
        ("frog.fu-1.0-py3-none-any.whl", "1.0", "frog-fu", "should start with 'frog_fu'"),
        ("frog-fu-1.0.tar.gz", "1.0", "frog-fu", "should be called 'frog_fu-1.0.tar.gz'"),
        ("frog-1.0.tar.gz", "1.0.0", "frog", "should be called 'frog-1.0.0.tar.gz'"),
        ("frog-1.0-1.tar.gz", "1.0.post1", "frog", "should be called 'frog-1.0.post1.tar.gz'"),
        ("frog-1.0.zip", "1.0", "frog", "should be called 'frog-1.0.tar.gz'"),
        ("frog-1.0+x-py3-none-any.whl", "1.0+x", "frog", "has the local version '1.0+x'"),
        ("frog-1.0-py3.11.egg", "1.0", "frog", "an old kind (egg)"),
        ("frog-1.0.linux-x86_64.tar.gz", "1.0", "frog", "an old kind (dumb)"),
    ],
)
def test_another_name(filename: str, version: str, name: str, says: str) -> None:
    with pytest.raises(FilenameRefused) as refused:
        judge(filename, version, name)
    assert says in refused.value.sentence
    assert refused.value.sentence.endswith(": this repository's rules are strict.")
