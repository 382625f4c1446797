"""Run Forward-Forward and the other rules on every device, keep the record, and write the table of docs/guides/zoo.md.

python experiments/zoo/table.py  # resumes; a finished study is only tabulated
"""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from analogff.study.results.store import load_results
from analogff.study.results.summary import summarize

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "zoo"


def main() -> None:
    """Run, record, tabulate."""
    here = Path(__file__).parent
    if subprocess.run([sys.executable, "-m", "analogff", "run", here / "study.toml", "--out", RESULTS]).returncode:
        sys.exit(1)  # it has said why
    subprocess.run([sys.executable, here.parent / "record.py", RESULTS, here / "record"], check=True)
    manifest = json.loads((RESULTS / "manifest.json").read_text())
    summary = summarize(load_results(RESULTS), manifest)
    (ROOT / "docs" / "guides" / "zoo.md").write_text(page(summary, manifest))


def page(summary: pd.DataFrame, manifest: dict) -> str:
    """Return the document: errors by device and rule, and what they cost."""
    study = manifest["study"]
    rules = list(dict.fromkeys(summary["rule"]))
    return "\n".join(
        [
            "# How the zoo learns",
            "",
            "Written by `python experiments/zoo/table.py`. [The experiment](../../experiments/zoo/README.md) states "
            "the claim and how options were chosen. Each device has [a page](../devices/README.md).",
            "",
            f"MNIST, 784-{'-'.join(map(str, study['layers']))}, {study['train_images']:,} images, {study['epochs']} "
            f"epochs, the whole test set. Test error in percent: mean of {summary['chips'].max()} chips and 95 % "
            "interval over them (Student's t). Devices have the defaults of their pages.",
            "",
            *_table(summary, rules, lambda row: f"{row['mean']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"),
            "",
            "Energy of the hardware in microjoules: reads, conversions and pulses, from each device's datasheet. "
            "Up to version 0.12 the energy of a read is that of full scale on every line. Later versions use the mean "
            "square of the inputs.",
            "",
            *_table(summary, rules, lambda row: f"{1e6 * row['device_joules']:.3g}"),
            "",
            f"Reads of an input vector by each chip, the same for all devices: {'; '.join(_reads(summary, rules))}.",
            "",
        ]
    )


def _reads(summary: pd.DataFrame, rules: list[str]) -> list[str]:
    return [f"{rule} {summary.loc[summary['rule'] == rule, 'reads'].max():,.0f}" for rule in rules]


def _table(summary: pd.DataFrame, rules: list[str], cell) -> list[str]:
    lines = [f"| device | {' | '.join(rules)} |", f"|---|{'---:|' * len(rules)}"]
    for device, rows in summary.groupby("device", sort=False):
        of_rule = {row["rule"]: row for _, row in rows.iterrows()}
        cells = [_with_divergence(of_rule[rule], cell) if rule in of_rule else "not run" for rule in rules]
        lines.append(f"| {device} | {' | '.join(cells)} |")
    return lines


def _with_divergence(row: pd.Series, cell) -> str:
    return cell(row) + (f" ({row['diverged']} diverged)" if row["diverged"] else "")


if __name__ == "__main__":
    main()
