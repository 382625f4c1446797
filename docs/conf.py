"""How Sphinx builds these pages: python -m sphinx -W -b html docs docs/_build.

GitHub renders the same files. So links are plain Markdown, also to the experiments, which are beside this folder.
"""

import os
import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx_gallery.scrapers import figure_rst

import analogff

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for `drawn`, which is named
DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PROJECT = DOCS / "_project"
"""Copies of pages that lie beside this folder, at the same paths as in the project."""
COPIED = ("experiments", "CHANGELOG.md")

project = "analogff"
author = "the authors of analogff"
version = release = analogff.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "examples", "sg_execution_times.rst", "_gallery/sg_execution_times.rst"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"analogff {version}"
html_copy_source = False

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4

autosummary_generate = True
autosummary_context = {
    "packages": [
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("analogff", "hardware_models")
        for path in (ROOT / package).rglob("__init__.py")
    ]
}
"""Packages have pages of their own; the other modules are sections of their package's."""
autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    "exclude-members": "set_fit_request, set_score_request",  # scikit-learn's, with links into its own pages
}
autodoc_member_order = "bysource"
autodoc_mock_imports = ["triton"]
"""Kernels for CUDA are documented also where there is no Triton, which only the extra `gpu` installs."""
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Shapes", "Units", "Reference"]


def drawn(block: tuple, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save the figures that a block of an example got from results, which pyplot does not know."""
    figures = [
        value
        for name, value in variables["example_globals"].items()
        if isinstance(value, Figure) and f"{name} = results.plot" in block[1]
    ]
    paths = [path for _, path in zip(figures, variables["image_path_iterator"], strict=False)]
    for figure, path in zip(figures, paths, strict=True):
        figure.savefig(path, dpi=200)
    return figure_rst(paths, settings["src_dir"])


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "_gallery",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("matplotlib", "conf.drawn"),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "nested_sections": False,
    "min_reported_time": 1000,
    "abort_on_example_error": True,
}

_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_INLINE_MATH = re.compile(r"\$`([^`]+)`\$")


def _prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn GitHub's way to write math and links beyond this folder into those of Sphinx."""
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".md":
        text = _INLINE_MATH.sub(r"$\1$", source[0])
        source[0] = _LINK.sub(lambda link: _linked(link, path), text) + _contents(docname, app.env.found_docs)


def _contents(docname: str, pages: Collection[str]) -> str:
    """Return a hidden table of contents for a README: the other pages of its folder, and the READMEs one below."""
    folder = docname.removesuffix("README")
    beside = (page for page in pages if page.startswith(folder) and page != docname)
    below = [page.removeprefix(folder) for page in beside]
    listed = sorted(page for page in below if "/" not in page.removesuffix("/README"))
    if folder == docname or not listed:
        return ""
    return "\n".join(["", "```{toctree}", ":hidden:", "", *listed, "```", ""])


def _linked(link: re.Match[str], page: Path) -> str:
    """Return a link as seen from the page's place among the sources."""
    opening, target, anchor, closing = link[1], link[2], link[3] or "", link[4]
    if re.match(r"[a-z]+:", target):
        return link[0]
    home = ROOT / page.relative_to(PROJECT) if page.is_relative_to(PROJECT) else page
    found = (home.parent / target).resolve()
    if found.is_dir():
        found = found / "README.md"
    if found.relative_to(ROOT).parts[0] in COPIED:
        found = PROJECT / found.relative_to(ROOT)
    return opening + os.path.relpath(found, page.parent) + anchor + closing


def _copy() -> None:
    """Copy pages that lie beside this folder, with what they show; those that are gone go."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    for name in COPIED:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.suffix in (".md", ".png", ".py", ".toml", ".csv", ".json") and path.is_file():
                copy = PROJECT / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)


def setup(app: Sphinx) -> dict[str, Any]:
    """Take in the experiments."""
    _copy()
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", _prepare)
    app.connect("build-finished", lambda *_: shutil.rmtree(PROJECT, ignore_errors=True))
    return {"parallel_read_safe": True}
