"""Means with intervals, and pairs of methods compared within the same seeds."""

import numpy as np
from scipy import stats


def interval(values, level: float = 0.95) -> dict:
    """Mean and Student's interval."""
    values = np.asarray(values, float)
    mean = float(values.mean())
    if len(values) < 2 or values.std() == 0:
        return {"mean": mean, "low": mean, "high": mean}
    half = float(stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def difference(ours, theirs) -> dict:
    """Ours minus theirs within each seed."""
    return interval(np.asarray(ours) - np.asarray(theirs))


def told(found: dict, digits: int = 4) -> str:
    low, high = (f"{found[side]:+.{digits}f}" for side in ("low", "high"))
    return f"{found['mean']:+.{digits}f} [{low}, {high}]"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
