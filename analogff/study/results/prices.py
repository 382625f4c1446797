"""Results at other prices of digital work, without running anything again."""

import pandas as pd

from analogff.system import Prices, digital_cost

_PARTS = ["chip_joules", "converter_joules", "write_joules", "digital_joules", "memory_joules"]
OF_DATAFLOWS = ["pipeline_seconds", "pipeline_joules", "samples_per_second", "array_utilization"]
"""Numbers that other prices change, but which need the dataflow of a rule."""


def repriced(frame: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """Return results as a study with other prices would have them.

    Args:
        frame: Results, as `analogff.study.results.store.load_results` returns, of runs that no budget of
            ``system_joules`` has ended.
        prices: The others.

    Returns:
        The frame, with its own ``digital_joules, memory_joules, system_joules`` and ``system_seconds``; those
        of `OF_DATAFLOWS` are NaN.
    """
    macs, moved, kept = frame[["digital_macs", "digital_bytes", "kept_bytes"]].to_numpy(dtype=float).T
    digital, memory, seconds = digital_cost(macs, moved, kept, prices)
    frame = frame.assign(digital_joules=digital, memory_joules=memory, system_seconds=frame["device_seconds"] + seconds)
    unknown = {name: float("nan") for name in OF_DATAFLOWS if name in frame}
    return frame.assign(system_joules=frame[_PARTS].sum(axis=1), **unknown)
