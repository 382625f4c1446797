"""A folder of results as a study would leave it, with numbers that are known."""

import itertools
import json

import numpy as np
import pandas as pd
import pyarrow as pa

from analogff.study.results.parts import part_name, write_part

_STORED = {pa.large_string(): pa.string(), pa.null(): pa.int32()}  # the types that a study's parts have

RULES = (
    {"rule": "forward-forward", "rule.slope": "assumed", "rule.learning_rate": 0.003},
    {"rule": "forward-forward", "rule.slope": "probed", "rule.learning_rate": 0.003},
    {"rule": "forward-forward", "rule.slope": "oracle", "rule.learning_rate": 0.003},
    {"rule": "backprop", "rule.through": "twin", "rule.learning_rate": 0.01},
    {"rule": "backprop", "rule.through": "deployed", "rule.learning_rate": 0.01},
    {"rule": "backprop", "rule.through": "oracle", "rule.learning_rate": 0.01},
    {"rule": "weight-perturbation", "rule.directions": 4.0, "rule.learning_rate": 0.001},
)
_LEVEL = (30.0, 5.0, 4.4, 6.0, 14.0, 2.9, 60.0, 8.0, 9.0)


def energies(reads, n):
    """Return energy by component and its sum; the parts are known, and none is another."""
    parts = ("chip_joules", "converter_joules", "write_joules", "digital_joules", "memory_joules")
    split = {part: 1e-9 * reads * (k + 1) + 1e-3 * n for k, part in enumerate(parts)}
    return split | {"system_joules": sum(split.values())}


def results(axes, *, rules=RULES, chips=4, epochs=3, seed=0):
    """Return a frame over every combination of axes, rules, chips and epochs."""
    generator = np.random.default_rng(seed)
    rows = []
    for values, (n, rule), chip in itertools.product(itertools.product(*axes.values()), enumerate(rules), range(chips)):
        point = dict(zip(axes, values, strict=True))
        noise = sum(v for v in values if isinstance(v, float))
        level = _LEVEL[n] * (1 + 3 * min(noise, 1.0)) * generator.lognormal(0, 0.08)
        run = "/".join(map(str, (*values, n, chip)))
        for epoch in range(1, epochs + 1):
            error = min(89.0, level * (1 + 2 * np.exp(-3 * (epoch - 1) / epochs)))
            reads = 0 if rule.get("rule.through") == "deployed" else 180_000 * epoch * (1 + n)
            costs = {"reads": reads, "conversions": 900 * reads, "pulses": 10 * reads, "wall_seconds": 1.0}
            rows.append(
                {"run": run, **rule, **point, "chip": chip, "seed": 0, "epoch": epoch, "test_error": error}
                | costs
                | {"validation_error": error, "train_loss": 1.0, "device_seconds": 1e-6 * reads}
                | {"device_joules": 1e-8 * reads, "diverged": False}
                | energies(reads, n + 1)
            )
    return pd.DataFrame(rows)


def goodness(frame, axes, layers=2, seed=0):
    """Return histograms for the runs of Forward-Forward, each chip with bins of its own width."""
    generator = np.random.default_rng(seed)
    rows = []
    for run in frame[frame["rule"] == "forward-forward"].drop_duplicates("run").itertuples(index=False):
        point = dict(zip(frame.columns, run, strict=True))
        for layer in range(1, layers + 1):
            width = 2.0 ** (point["chip"] % 2 - 3)
            for polarity, mean in (("positive", 3.0 + layer), ("negative", 2.0)):
                counts, edges = np.histogram(generator.gamma(8, mean / 8, 1000), np.arange(0, 24, width))
                rows += [
                    {"run": point["run"], "rule": point["rule"], **{axis: point[axis] for axis in axes}}
                    | {"layer": layer, "polarity": polarity, "bin_low": low, "bin_high": low + width, "count": n}
                    for low, n in zip(edges[:-1], counts, strict=True)
                ]
    return pd.DataFrame(rows)


def layers(frame, axes, layers=3):
    """Return errors of each layer alone for the runs of Forward-Forward: a factor on the whole error."""
    frame = frame[frame["rule"] == "forward-forward"]
    parts = [
        frame[["run", "rule", *axes, "epoch"]].assign(layer=n, error=frame["test_error"] / n)
        for n in range(1, layers + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def write(folder, frame, axes, histograms=None, of_layers=None):
    """Write a frame as the store does."""
    tables = {"goodness": histograms, "layers": of_layers, "results": frame}
    there = [kind for kind, table in tables.items() if table is not None]
    for kind in there:
        (folder / kind).mkdir(parents=True)
        table = pa.Table.from_pandas(tables[kind], preserve_index=False).replace_schema_metadata(None)
        table = table.cast(pa.schema([field.with_type(_STORED.get(field.type, field.type)) for field in table.schema]))
        write_part(table, folder / kind / part_name(16 * "0"), there[:-1] if kind == "results" else ())
    study = {"name": "synthetic", "sweep": axes, "layers": [500, 500]}
    manifest = {"study": study, "runs": list(dict.fromkeys(frame["run"]))}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
