"""Gate L1, the bake-off: classification sets played as bandits (Bietti, Agarwal, Langford, arXiv 1802.04064).

Every row is a context, every class an arm, reward 1 when the arm is the class; one pass in the order
`default_rng(seed).permutation(n)`; the score is the mean reward of the sampled arm before learning from it.
Vowpal Wabbit is tuned per set over its grid on seed 0, on the first 3,000 rows of that order, and plays the seeds
reported, whole sets, with what won there.
"""

import numpy as np

import attent
import vw
from data import SETS, classified


TUNING_ROWS = 3_000


def play(kept, sets=None, seeds=(1, 2, 3, 4, 5), methods=("ours", "vw"), say=print) -> list[dict]:
    """One row per set and method with its score per seed."""
    sets = sets or SETS
    loaded = {name: classified(name) for name in sets}
    tuning = tune(kept, loaded, say) if "vw" in methods else {}
    rows = []
    for name, data in loaded.items():
        say(f"bake-off: {name}, {len(data.classes)} rows, {data.columns.shape[1]} columns, {data.arms} arms")
        counts = np.bincount(data.classes, minlength=data.arms)
        scores = {
            "best fixed arm": [float(counts.max() / counts.sum())] * len(seeds),
            "uniform": [1 / data.arms] * len(seeds),
        }
        if "ours" in methods:
            scores["ours"] = [_ours(kept, data, seed) for seed in seeds]
        if "vw" in methods:
            for method, configuration in tuning[name].items():
                scores[method] = [_vw(kept, data, configuration, seed) for seed in seeds]
        rows.extend({"set": name, "method": method, "scores": found} for method, found in scores.items())
        say("  " + ", ".join(f"{method} {np.mean(found):.4f}" for method, found in scores.items()))
    return rows


def tune(kept, loaded: dict, say=print) -> dict:
    """Per set, the configuration that won on seed 0, and the one that won over all sets."""
    grid = vw.grid()
    found = {}
    for name, data in sorted(loaded.items(), key=lambda item: len(item[1].classes)):
        found[name] = [_vw(kept, data, configuration, 0, TUNING_ROWS) for configuration in grid]
        best = int(np.argmax(found[name]))
        say(f"  tuned on {name}: {found[name][best]:.4f} with {vw.name(grid[best])}")
    overall = int(np.argmax(np.mean(list(found.values()), axis=0)))
    say(f"  one configuration for all: {vw.name(grid[overall])}")
    return {
        name: {"VW tuned": grid[int(np.argmax(scores))], "VW one configuration": grid[overall]}
        for name, scores in found.items()
    }


def _order(data, seed):
    return np.random.default_rng(seed).permutation(len(data.classes))


def _vw(kept, data, configuration, seed, rows=None) -> float:
    def make():
        order = _order(data, seed)[:rows]
        contexts = [_sparse(row) for row in data.columns[order]]
        return vw.bake(configuration, contexts, data.classes[order], data.arms, seed)

    key = {"driver": "bakeoff", "set": data.name, "seed": seed, "vw": vw.version(), "with": configuration}
    if rows is not None and rows < len(data.classes):
        key["rows"] = rows
    return kept.get(key, make)


def _sparse(row) -> str:
    return " ".join(f"f{index}:{value:.6g}" for index, value in enumerate(row) if value and value == value)


def _ours(kept, data, seed) -> float:
    key = {"driver": "bakeoff", "set": data.name, "seed": seed, "attent": attent.version()}
    return kept.get(key, lambda: _play_ours(data, seed))


def _play_ours(data, seed) -> float:
    names = [f"f{index}" for index in range(data.columns.shape[1])]
    actions = [{"id": f"arm{arm}"} for arm in range(data.arms)]
    reward_sum = 0
    with attent.Lab(seed, unit="m", window=0) as lab:
        for t, row in enumerate(_order(data, seed)):
            values = data.columns[row].tolist()
            context = {name: value for name, value in zip(names, values) if value == value}
            answer = lab.decide(t, context, actions)
            if answer["action"] == f"arm{data.classes[row]}":
                reward_sum += 1
                lab.outcome(t, answer["decision"])
    return reward_sum / len(data.classes)
