"""The worked example of Forward-Forward learns, and each mistake that its page shows costs what the page says."""

import re

import pytest

from tests.test_docs import ROOT, blocks

PAGE = "docs/start/thirty-lines.md"
CODE = blocks(PAGE, "python")[0]
ROWS = re.findall(r"^\| ([^|]+) \| (`[^|]*`)? ?\| (`[^|]*`)? ?\| ([\d.]+)[^|]*\|$", (ROOT / PAGE).read_text(), re.M)


@pytest.fixture
def error_of(monkeypatch, capsys):
    """Run code in the folder of the project, and return the error that it prints."""
    monkeypatch.chdir(ROOT)

    def run(code):
        exec(compile(code, PAGE, "exec"), {"__name__": "__main__"})
        return float(capsys.readouterr().out.split()[0])

    return run


def test_it_has_thirty_lines_and_imports_numpy_only():
    lines = [line for line in CODE.splitlines() if line and not line.startswith("#")]
    assert len(lines) == 30
    assert re.findall(r"^import (\w+)", CODE, re.M) == ["gzip", "numpy"] and "from " not in CODE


FEWER = {
    "[:10000]": "[:2000]",
    '"t10k-images-idx3", 16)': '"t10k-images-idx3", 16)[: 784 * 1000]',
    '"t10k-labels-idx1", 8)': '"t10k-labels-idx1", 8)[:1000]',
}


def test_it_learns(error_of):
    """From a fifth of the images; the longer test below holds the error of all of them."""
    code = CODE
    for whole, part in FEWER.items():
        assert whole in code
        code = code.replace(whole, part)
    assert error_of(code) < 13.8 + 4 * 1.1  # with all test images 13.8; the sampling of 1000 scatters by 1.1


@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "right", "wrong", "error"), ROWS)
def test_each_mistake_costs_what_the_page_says(error_of, mistake, right, wrong, error):
    right, wrong = right.strip("`"), wrong.strip("`")
    assert CODE.count(right) == 1 or not right
    found = error_of(CODE.replace(right, wrong) if right else CODE)
    assert found == pytest.approx(float(error), abs=1.5), mistake


def test_the_page_shows_the_mistakes():
    assert [row[1] != "" for row in ROWS] == [False, True, True, True, True]
