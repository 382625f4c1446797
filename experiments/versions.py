"""Write VERSIONS.md: which version made which record, from the records' manifests.

python experiments/versions.py
"""

import json
import subprocess
from pathlib import Path

_HERE = Path(__file__).parent
_HEAD = """# Which version made which record

Written by `python experiments/versions.py`. A record is evidence of the version that made it. Study files use the
option names of today, so running one gives numbers of the present version.

| record | version | commit |
|---|---|---|
"""
_TAIL = """
* **Up to 0.12** three things differ ([changes](../CHANGELOG.md)). Chips of `unknown` were programmed exactly, the
  energy of a read was that of full scale on every line, and moves of weight perturbation were cut at one write.
  Energies and the rows of backprop and weight perturbation in those records follow that code.
* **`lost`** means that the commit was on a branch whose commits were joined into one, so it is not in the history. The
  first commit behind it that is, is the evidence: `a607fe7` for 0.16 (records of lives), `75dcabd` for 0.17 to 0.19.
* **`-dirty`** means that files differed from the commit, so the commit alone does not reproduce the record. In
  `literature/record-2x500` and `record-3x1000` `evaluate_every` was added by hand, which a later commit brought. The
  differences of `literature/record-threshold`, `recurrent/record` (two epochs of 5000 images), `tuning/record` and
  `zoo/record` are not known.
* **The version is that of an older installation** in `centroids/record` (by its commit 0.5), `literature/record-4x2000`
  (0.5), `unsupervised/record-small` and `record-medium` (0.6). The commit decides; their READMEs name it.
* **Without a manifest**: `depth` (0.16, commit `4a0115b`), `alignment` (0.9, commit `505f4ef`), `sequences` (commit
  `505f4ef`), `gpu` (commits `e981100` and `66b7cbf`), `benchmarks` (versions in [its table](benchmarks/TABLE.md)),
  `writes/record.csv` (0.17), `first-layer` (a figure, no version kept).
"""


def row(manifest: Path) -> str:
    """Return the line of a record."""
    told, place = json.loads(manifest.read_text()), manifest.relative_to(_HERE)
    commit, dirty, _ = told["commit"].partition("-dirty")
    mark = (" `-dirty`" if dirty else "") + ("" if _in_history(commit) else " `lost`")
    name, version = place.parent.as_posix(), told["versions"]["analogff"]
    return f"| [{name}]({place.as_posix()}) | {version} | `{commit[:7]}`{mark} |"


def _in_history(commit: str) -> bool:
    asked = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(asked, cwd=_HERE, capture_output=True, check=False).returncode == 0


def page() -> str:
    """Return the text of VERSIONS.md."""
    return _HEAD + "\n".join(map(row, sorted(_HERE.glob("*/record*/manifest.json")))) + "\n" + _TAIL


if __name__ == "__main__":
    (_HERE / "VERSIONS.md").write_text(page())
