"""The page of a study: whole, safe to open, and the same study again."""

import html
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

import analogff
from analogff.figures.draw import FIGURES, draw_one
from analogff.figures.results import Results
from analogff.figures.style import styled
from analogff.report import figures, page, write_report
from analogff.report.design import study_file
from analogff.report.reproduce import AUTHORS, TITLE, citation
from analogff.study.read.spec import read_study
from analogff.study.results.manifest import describe, read_manifest
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run.plan import plan_runs
from tests.helpers import synthetic
from tests.study.conftest import HEAD, write_study  # noqa: F401
from tests.study.run.test_life import FORWARD

ROOT = Path(__file__).parent.parent.parent
VOID = {"meta", "img", "br", "hr", "input", "link"}
NASTY = "<script>alert('x')</script> & \"q\" }} {{ 7*7 }}"


class Page(HTMLParser):
    """Elements of a page; complains where a tag closes another one than the last open one."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def text_of(content):
    """Return what a reader sees outside of figures."""
    content = re.sub(r"(?s)<svg.*?</svg>|<style>.*?</style>", "", content)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of three rules and two axes, one of which does nothing, with a chip that diverged."""
    axes = {"device.read_noise": [0.0, 0.1], "device.family": ["saturating", NASTY]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:3])
    frame.loc[(frame["chip"] == 2) & (frame["rule.slope"] == "probed"), "diverged"] = True
    frame["pulses"] = 5
    path = synthetic.write(tmp_path_factory.mktemp("results"), frame, axes, synthetic.goodness(frame, list(axes)))
    manifest = read_manifest(path)
    study = manifest["study"] | {"question": f"Does {NASTY} matter?", "device": {"model": "reram"}, "epochs": 3}
    study |= {"name": NASTY, "rule": [{"name": "forward-forward", "slope": "probed", "label": NASTY}]}
    manifest |= {"study": study, "versions": {"analogff": "9.9.9"}, "commit": "abc-dirty", "created": "2031-02-03T04"}
    manifest["runs"] = [*manifest["runs"], "a run that is not there"]
    import json

    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


@pytest.fixture(scope="module")
def content(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "MOST", 6)
        return page(folder)


@pytest.mark.slow
def test_it_is_well_formed_and_every_name_in_it_is_its_own(content):
    parsed = Page(content)
    names = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(names) == len(set(names))
    within = re.findall(r'(?:href="#|url\(#)([^")]+)', content)
    assert within and set(within) <= set(names)
    assert len(parsed.all("h1")) == 1 and parsed.all("html")[0]["lang"] == "en"


@pytest.mark.slow
def test_it_loads_nothing_and_needs_no_script(content):
    parsed = Page(content)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in parsed.elements}
    for tag, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "srcset"], tag
        for name in ("src", "href", "xlink:href", "poster", "data", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:text/csv", "data:image/png")), (tag, attributes)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", content)


@pytest.mark.slow
def test_names_are_escaped(content):
    assert "<script" not in content and "49" not in text_of(content).split("Settings")[0].split("matter?")[0]
    assert html.escape(NASTY).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in content
    assert f"Does {' '.join(NASTY.split())} matter?" in text_of(content)


@pytest.mark.slow
def test_every_figure_is_there_with_its_numbers(folder, content):
    frame = Results.of(load_results(folder), load_measurements(folder), read_manifest(folder))
    with styled():
        names = []
        for kind in FIGURES:
            try:
                names += [drawing.name for drawing in draw_one(kind, frame)]
            except ValueError:
                continue
    parsed = Page(content)
    shown = [attributes["id"] for attributes in parsed.all("figure")]
    assert set(shown) <= set(names) and len(shown) == 6 < len(names)
    assert f"6 of {len(names)} figures are shown" in text_of(content)
    pictures = [a for a in parsed.all("svg") + parsed.all("img") if a.get("aria-label") or a.get("alt")]
    assert len(pictures) == len(shown)
    assert len([a for a in parsed.all("a") if a.get("download", "").endswith(".csv")]) == len(shown)


@pytest.mark.slow
def test_it_says_what_is_missing_what_diverged_and_what_changed_nothing(content):
    said = text_of(content)
    assert "Missing 1 of 49 runs are not finished." in said
    assert "Diverged FF probed at read noise = 0, saturating: 1 of 4 runs, chips 2." in said
    assert "Some files of that commit had been edited when this ran." in said and "commit abc ." in said


@pytest.mark.slow
def test_tables_have_intervals_tests_costs_and_shares_of_energy(content):
    said = text_of(content)
    assert re.search(r"interval over 4 chips .* \d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", said)
    assert "adjusted by Holm's method" in said and "told apart" in said and "FF (oracle, bound)" in said
    for header in ("arrays and neurons", "converters", "writes", "digital logic", "memory", "device / s", "pulses"):
        assert header in said
    shares = re.search(r"system / J .*? FF assumed 0 saturating \S+ (\S+) % (\S+) % (\S+) % (\S+) % (\S+) %", said)
    assert shares and abs(sum(map(float, shares.groups())) - 100) < 0.2


@pytest.mark.slow
def test_it_is_readable_on_a_telephone(content):
    """Nothing is wider than the screen but what scrolls within itself."""
    parsed = Page(content)
    assert parsed.all("meta")[1]["content"] == "width=device-width, initial-scale=1"
    assert len(parsed.all("table")) == sum("wide" == a.get("class") for a in parsed.all("div"))
    style = re.sub(r"\s+", " ", content[content.index("<style>") : content.index("</style>")])
    assert ".wide { overflow-x: auto;" in style and "pre { overflow-x: auto;" in style
    assert "max-width: 100%; height: auto; }" in style and "overflow-wrap: break-word" in style
    assert not re.search(r"[^-]width: \d{3,}px", style)


STUDY = """
name = "all of it"
question = 'Which "rule"?'
dataset = "digits"
layers = [8, 8]
epochs = 2
chips = [3, 5]
seeds = [1, 2]
train_images = 200
wait_seconds = 1e-3
budget = { reads = 1e5 }
[[device]]
model = "unknown"
read_noise = 0.1
[[device]]
model = "reram"
[[event]]
do = "wait"
seconds = "1 day"
[[event]]
do = "evaluate"
[sweep]
"device.0.adc_bits" = [4, 6]
"rule.0.learning_rate" = [1e-4, 0.003]
"""


@pytest.mark.slow
@pytest.mark.parametrize("text", [STUDY, HEAD + '[device]\nmodel = "unknown"\n[tune]\ntrials = 2\n'])
def test_the_study_file_of_the_page_is_of_the_same_runs(text, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(text + FORWARD)
    study = read_study(path)
    runs = plan_runs(study)
    again = tmp_path / "again.toml"
    again.write_text(study_file(describe(study, runs)["study"]))
    assert [run.key for run in plan_runs(read_study(again))] == [run.key for run in runs]
    assert read_study(again).name == study.name


@pytest.mark.slow
def test_any_text_survives_as_toml():
    from analogff.report.design import _toml

    for text in (NASTY, 'a "b" \\ \n\t\x7f ü \U0001f600', "'''"):
        assert tomllib.loads(f"x = {_toml(text)}") == {"x": text}
        assert tomllib.loads(f"{_toml(text)} = 1") == {text: 1}


@pytest.mark.slow
def test_the_question_changes_no_run(write_study):  # noqa: F811
    keys = [[r.key for r in plan_runs(read_study(write_study(more=m)))] for m in ("", 'question = "Why?"\n')]
    assert keys[0] == keys[1]


@pytest.mark.slow
def test_the_citation_is_that_of_the_project():
    text = (ROOT / "CITATION.cff").read_text()
    assert f"\ntitle: {TITLE}\n" in text and f"- name: {AUTHORS}\n" in text
    manifest = {"versions": {"analogff": "1.2.3"}, "created": "2031-02-03", "study": {}}
    assert "version = {1.2.3}" in citation(manifest) and "year = {2031}" in citation(manifest)


@pytest.mark.slow
def test_a_real_study_has_its_page(write_study, tmp_path, blank_figures):  # noqa: F811
    results = analogff.run(write_study(rule=FORWARD), out=tmp_path / "out", workers=0, quiet=True)
    path = write_report(results.folder)
    said = text_of(path.read_text())
    assert path == tmp_path / "out" / "report.html" and "Hinton, The Forward-Forward Algorithm" in said
    assert "Warnings" not in path.read_text() and f"analogff {analogff.__version__}" in said


@pytest.mark.slow
def test_what_is_no_folder_of_results_is_told(tmp_path):
    with pytest.raises(ValueError, match="Expected .*manifest.json, which every run writes. Got no such file"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="Expected .*manifest.json"):
        write_report(tmp_path)
