"""Gate L4, Bank Marketing: how well are calls' chances told, row by row in order of time, before each is learned?

One arm, every column but `duration` (known only after the call); `unknown`, and `pdays` 999, are left out.
The part of the data that is shared is its first 80 %.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

import attent
import vw
from data import folder

BINS = 10


def play(kept, say=print) -> list[dict]:
    """One row per method with AUC, log-loss and expected calibration error."""
    key = {"driver": "bank", "model": 1}
    rows = [{"method": "ours"} | kept.get(key | {"attent": attent.version()}, _ours)]
    for rate in (0.1, 0.5):
        method = f"VW logistic, -l {rate}"
        found = kept.get(key | {"vw": vw.version(), "rate": rate}, lambda rate=rate: _vw(rate))
        rows.append({"method": method} | found)
    rows.append({"method": "running mean"} | kept.get(key | {"method": "mean"}, _running_mean))
    for row in rows:
        measured = ", ".join(f"{name} {row[name]:.4f}" for name in ("auc", "log_loss", "ece"))
        say(f"bank: {row['method']} {measured}")
    return rows


def _rows():
    table = pd.read_csv(folder() / "bank-marketing" / "bank-additional-first80.csv.gz", sep=";")
    answers = (table.pop("y") == "yes").to_numpy()
    table = table.drop(columns="duration").rename(columns=lambda name: name.replace(".", "_"))
    table["pdays"] = table["pdays"].where(table["pdays"] != 999)
    contexts = [
        {name: value for name, value in row.items() if value != "unknown" and value == value}
        for row in table.to_dict("records")
    ]
    return contexts, answers


def measured(expected, answers) -> dict:
    """Calibration error over ten equally wide bins of the probability told."""
    expected = np.clip(np.array(expected), 1e-9, 1 - 1e-9)
    bins = np.minimum((expected * BINS).astype(int), BINS - 1)
    gaps = [abs((expected - answers)[bins == bin].sum()) for bin in range(BINS)]
    return {
        "auc": float(roc_auc_score(answers, expected)),
        "log_loss": float(log_loss(answers, expected)),
        "ece": float(sum(gaps) / len(answers)),
    }


def _ours() -> dict:
    contexts, answers = _rows()
    expected = []
    with attent.Lab(1, unit="m", window=0) as lab:
        for t, (context, yes) in enumerate(zip(contexts, answers, strict=True)):
            answer = lab.decide(t, context, [{"id": "call"}])
            expected.append(answer["propensities"]["call"])
            if yes:
                lab.outcome(t, answer["decision"])
    return measured(expected, answers)


def _vw(rate: float) -> dict:
    contexts, answers = _rows()
    options = f"--loss_function logistic --link logistic --quiet --random_seed 1 -l {rate}"
    workspace = vw.Workspace(options)
    expected = []
    for context, yes in zip(contexts, answers, strict=True):
        text = "|x " + vw.features(context)
        expected.append(workspace.predict(text))
        workspace.learn(f"{1 if yes else -1} {text}")
    return measured(expected, answers)


def _running_mean() -> dict:
    _, answers = _rows()
    yes, seen, expected = 1.0, 20.0, []
    for answer in answers:
        expected.append(yes / seen)
        yes, seen = yes + answer, seen + 1
    return measured(expected, answers)
