"""Eggs, dumb archives and sdists of every format, built by an old setuptools in its own place."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.clients import client, client_environment

FORMATS = "gztar,zip,tar,bztar"
SETUP = """
from setuptools import setup
setup(
    name="Frog-Fu",
    version="1.0-rc1",
    description="Green frogs, and one that is z\\u00f6e",
    long_description="Frogs\\n=====\\n\\nThey *croak*.\\n",
    author="Z\\u00f6e",
    author_email="zoe@example.org",
    license="MIT\\nPermission is granted to croak.",
    keywords="frog, green",
    url="https://example.org/frog",
    python_requires=">=3.6",
    packages=["frog", "frog.fu"],
    install_requires=["toad>=1,<2", "newt; python_version < '3'"],
    extras_require={"fast": ["tadpole"], ":sys_platform == 'win32'": ["fly"]},
    entry_points={"console_scripts": ["croak = frog:croak"]},
    classifiers=["Programming Language :: Python"],
    zip_safe=True,
)
"""


def built(project: Path) -> tuple[Path, ...]:
    """Return what setuptools makes of a project, in a folder that is empty."""
    (project / "setup.py").write_text(SETUP, encoding="utf-8")
    for package in ("frog", "frog/fu"):
        (project / package).mkdir()
        (project / package / "__init__.py").write_text("def croak(): pass\n", encoding="utf-8")
    (project / "LICENSE").write_text("MIT\n", encoding="utf-8")
    commands = (
        ("sdist", f"--formats={FORMATS}"),
        ("bdist_egg",),
        *(("bdist_dumb", f"--format={each}") for each in FORMATS.split(",")),
    )
    for command in commands:
        subprocess.run(
            [str(client("setuptools")), "-W", "ignore", "setup.py", "-q", *command],
            cwd=project,
            env={**client_environment(project), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
        )
    made = sorted((project / "dist").iterdir())
    tgz = next(path for path in made if path.name.endswith("c1.tar.gz"))
    (renamed := tgz.with_name(tgz.name.replace(".tar.gz", ".tgz"))).write_bytes(tgz.read_bytes())
    return (*made, renamed)
