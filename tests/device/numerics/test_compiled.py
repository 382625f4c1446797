"""What was compiled is found again as long as nothing that it is made of has changed."""

from pathlib import Path

import pytest

from analogff.device.numerics import compiled


@pytest.fixture
def package(tmp_path):
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("")
    (inner / "caller.py").write_text("from outer.callee import f")
    (inner.parent / "callee.py").write_text("def f(): ...")
    return inner.parent


def folder_of(file: Path) -> Path:
    return compiled._folder.__wrapped__(compiled._source_of(file))


def test_a_change_of_what_is_called_is_a_change(package):
    caller, callee = package / "inner" / "caller.py", package / "callee.py"
    before = folder_of(caller)
    assert before == folder_of(callee) and package in before.parents
    callee.write_text("def f(): return 1")
    assert folder_of(caller) != before


def test_a_file_in_no_package_stands_for_itself(tmp_path):
    mine, other = tmp_path / "mine.py", tmp_path / "other.py"
    mine.write_text("a = 1")
    before = folder_of(mine)
    other.write_text("b = 2")
    assert folder_of(mine) == before and before.parent == tmp_path / "__pycache__"


def test_where_the_user_wants_it(package, tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.config, "CACHE_DIR", str(tmp_path / "mine"))
    assert folder_of(package / "callee.py").parent == tmp_path / "mine"


def test_compiling_leaves_numbas_settings_alone():
    before = compiled.config.CACHE_DIR
    assert compiled.compiled(lambda x: x + 1)(1) == 2
    assert compiled.config.CACHE_DIR == before
