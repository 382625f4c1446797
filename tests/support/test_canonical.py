"""An edit that changes no number leaves the fingerprint, and every other edit changes it."""

import pytest

from analogff.support.canonical import read_source

CODE = '''"""A device."""

import torch
from analogff import Device


class Chip(Device):
    """A chip."""

    gain: float = 1.0
    """In volts."""

    def measure(self, x):
        if x is None:
            import scipy.special
        return f"{x!r:#x}", "# no comment", torch.tanh(x)
'''


def edited(old, new):
    assert old in CODE
    return CODE.replace(old, new)


SAME = {
    "a comment": edited("import torch\n", "import torch  # the library\n# a line\n"),
    "an edited docstring": edited('"""A chip."""', '"""A chip: größer.\n\n    With more.\n    """'),
    "no docstring": edited('    """A chip."""\n', ""),
    "under a field": edited("In volts", "In amperes"),
    "blank lines": edited("\n\n\nclass", "\n\n\n\n\nclass").replace("return", "\n\n        return"),
    "spaces at an end": edited("Device):\n", "Device):  \n"),
    "line ends": CODE.replace("\n", "\r\n"),
}
OTHER = {
    "a number": edited("1.0", "1.5"),
    "a sign in a text": edited("# no", "#  no"),
    "a text": edited('"# no comment"', '"""# no\n\ncomment"""'),
    "a format": edited(":#x", ":#b"),
    "a block": edited("        return", "            return"),
    "a name": edited("torch.tanh", "torch.relu"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_changes_no_number(name):
    assert read_source(SAME[name].encode()).sum == read_source(CODE.encode()).sum


@pytest.mark.parametrize("name", OTHER)
def test_what_may_change_a_number(name):
    assert read_source(OTHER[name].encode()).sum != read_source(CODE.encode()).sum


def test_blank_lines_inside_a_text_count():
    assert read_source(b'x = """a\n\nb"""').sum != read_source(b'x = """a\nb"""').sum


def test_what_is_imported_at_any_depth():
    assert read_source(CODE.encode()).imports == {"torch", "analogff", "scipy"}
    assert read_source(
        b"from . import a\nfrom .b import c\ntry:\n    import d.e as f\nexcept E:\n    pass\n"
    ).imports == {"d"}


def test_what_is_no_python_goes_by_its_bytes():
    assert read_source(b"def (").sum != read_source(b"def (  # x").sum
