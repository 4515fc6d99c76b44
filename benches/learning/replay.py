"""Gates L5 and L12 and the Open Bandit log: policies played over what chance once decided.

Where the log was made by chance, a policy is played over its rows: it decides, and learns from a row only
when it picks what the log shows. Its worth is the mean over all rows of (probability it gave to what was
shown / probability the log gave) x outcome: every row counts, not only the matching ones.
"""

import numpy as np
import pandas as pd

import attent
from data import folder
from table import interval

MAILS = ["Mens E-Mail", "Womens E-Mail", "No E-Mail"]
DRAWS = 256


def hillstrom(kept, seeds=range(1, 11), shuffled=False, say=print) -> list[dict]:
    """Worth in visits per customer of each policy, per seed (an order of the rows). `shuffled` deals the visits
    out anew, so that there is nothing to learn."""
    key = {"driver": "hillstrom", "model": 1, "shuffled": shuffled}
    rows = []
    for method, made_by in (("ours", {"attent": attent.version()}), ("context-free Thompson", {}), ("uniform", {})):
        play = {"ours": _ours, "context-free Thompson": _thompson, "uniform": _uniform}[method]
        found = [
            kept.get(key | made_by | {"method": method, "seed": seed}, lambda play=play, seed=seed: play(*_order(seed, shuffled), seed))
            for seed in seeds
        ]
        rows.append({"method": method, "scores": found})
        say(f"Hillstrom{', shuffled' if shuffled else ''}: {method} {np.mean(found):.5f}")
    return rows


def _order(seed: int, shuffled: bool):
    table = pd.read_csv(folder() / "hillstrom-email" / "hillstrom-half-a.csv.gz")
    random = np.random.default_rng(seed)
    table = table.iloc[random.permutation(len(table))]
    visits = table["visit"].to_numpy()
    shown = table["segment"].map(MAILS.index).to_numpy()
    known = table[["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]]
    return known.to_dict("records"), shown, random.permutation(visits) if shuffled else visits


def _ours(contexts, shown, visits, seed) -> float:
    actions = [{"id": mail} for mail in MAILS]
    worth = 0.0
    with attent.Lab(seed, unit="m", window=0) as lab:
        for t, context in enumerate(contexts):
            answer = lab.decide(t, context, actions)
            was = MAILS[shown[t]]
            worth += answer["probabilities"][was] * len(MAILS) * visits[t]
            if answer["action"] != was:
                lab.discard(t, answer["decision"])
            elif visits[t]:
                lab.outcome(t, answer["decision"])
    return worth / len(contexts)


def _thompson(_, shown, visits, seed) -> float:
    random = np.random.default_rng([seed, 0xBE7A])
    yes, no, worth = np.ones(3), np.full(3, 19.0), 0.0
    for was, visited in zip(shown, visits, strict=True):
        drawn = random.beta(yes, no, (DRAWS, 3)).argmax(1)
        worth += (drawn == was).mean() * len(MAILS) * visited
        if drawn[0] == was:
            (yes if visited else no)[was] += 1
    return float(worth / len(shown))


def _uniform(_, shown, visits, seed) -> float:
    return float(np.mean(visits))


def open_bandit(kept, say=print) -> list[dict]:
    """Clicks per impression: what each policy had, what the random log says of the other, and ours played over it.

    Clicks are so rare (46 and 69 of 10,000) that this shows the plumbing, and ranks nothing.
    """
    tables = {
        name: pd.read_csv(folder() / "open-bandit-men" / f"{name}_men.csv.gz", index_col=0)
        for name in ("random", "bts")
    }
    rows = []
    for name, table in tables.items():
        rows.append({"policy": f"{name}, as shown"} | interval(table["click"].to_numpy(float)))
    key = {"driver": "open-bandit", "attent": attent.version(), "model": 1}
    gains = kept.get(key, lambda: _over_open_bandit(tables["random"]))
    rows.append({"policy": "ours, over the random log"} | interval(np.array(gains)))
    for row in rows:
        say(f"Open Bandit: {row['policy']} {row['mean']:.5f} [{row['low']:.5f}, {row['high']:.5f}]")
    return rows


def _over_open_bandit(table) -> list[float]:
    known = [name for name in table.columns if name.startswith("user_feature") or name == "position"]
    items = sorted(table["item_id"].unique())
    actions = [{"id": f"item_{item}"} for item in items]
    gains = []
    with attent.Lab(1, unit="m", window=0) as lab:
        for t, row in enumerate(table.sort_values("timestamp").to_dict("records")):
            context = {name: str(row[name]) for name in known}
            answer = lab.decide(t, context, actions)
            was = f"item_{row['item_id']}"
            gains.append(answer["probabilities"][was] / row["propensity_score"] * row["click"])
            if answer["action"] != was:
                lab.discard(t, answer["decision"])
            elif row["click"]:
                lab.outcome(t, answer["decision"])
    return gains
