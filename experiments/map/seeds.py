"""Compare the two learning seeds of the map: what a rule gains or loses by the second one, on the same chips.

python experiments/map/seeds.py
"""

from pathlib import Path

import pandas as pd
from draw import markdown, read, table

_HERE = Path(__file__).parent
FIRST, SECOND = ("record", "record-others-ten"), "record-second-seed"


def main() -> None:
    """Print errors with the second seed, differences to the first one, and the rules' order at each kind of chip."""
    second = read(_HERE / SECOND)
    first = pd.concat([read(_HERE / name) for name in FIRST], ignore_index=True)
    cells = table(second)
    print(markdown(cells))
    keys = ["label", "device", "chip"]
    pairs = second.merge(first, on=keys, suffixes=("", "_first"))
    change = (pairs["test_error"] - pairs["test_error_first"]).groupby([pairs["label"], pairs["device"]]).mean()
    print(change.unstack().round(2).reindex(columns=cells["device"].unique()).to_string())
    shared = first.merge(second[["label", "device"]].drop_duplicates())
    for device, means in cells.groupby("device", sort=False):
        old = table(shared[shared["device"] == device])
        print(device, *(list(some.sort_values("mean")["rule"]) for some in (old, means)), sep="\n    ")


if __name__ == "__main__":
    main()
