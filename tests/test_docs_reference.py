"""The pages that Sphinx makes leave nothing out."""

import re

from tests.test_docs import ROOT

INNER = tuple(f"analogff.{room}" for room in ("cli", "support"))
"""The command line, which describes itself, and tools that only this project uses."""
BARE = ("analogff", "hardware_models", "hardware_models.kernels.")


def test_the_reference_has_a_page_for_every_package():
    listed = set(re.findall(r"^   ([\w.]+)$", (ROOT / "docs/reference/api.rst").read_text(), re.M))
    paths = [*(ROOT / "analogff").rglob("__init__.py"), *(ROOT / "hardware_models").rglob("__init__.py")]
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in paths}
    inner = {name for name in packages if name.startswith(INNER) or name in BARE or name.startswith(BARE[2])}
    assert listed == packages - inner


def test_every_page_is_in_the_contents():
    """By its name, or by the README of its folder, which lists its neighbors."""
    index = (ROOT / "docs/index.md").read_text()
    for path in (ROOT / "docs").rglob("*.md"):
        page = path.relative_to(ROOT / "docs").with_suffix("")
        if page.parts[0][0] != "_" and page.name != "index":
            beside = (page.parent / "README").as_posix()
            assert re.search(rf"^(.*<)?({page.as_posix()}|{beside})>?$", index, re.M), page
