"""Gate L11: half the customers renew anyway. Does crediting only what acting adds find that out, and pay?

The world, drawn from its seed: 12,000 customers come by, one per minute. Half are `loyal`: they renew with
probability .85, with an offer .86. The others renew with .15, with an offer .30. Renewing is worth 100 euro. To
anybody something else can be offered instead, which .10 of them buy and nobody buys without; worth 40. Five
numbers are known; the first tells who is loyal up to noise (a logistic with slope 3), the others tell nothing.
One customer in ten hears nothing, by chance, to learn what happens anyway.

The score of a decision is what it adds: change of the probability times value, by the world's own numbers. The
same learner decides on gross probabilities when it is never told of the silences.
"""

import numpy as np

import attent
from table import difference

CUSTOMERS = 12_000
SILENT = 0.1
RENEWAL, OTHER = 100.0, 40.0


def play(kept, seeds=range(1, 11), say=print) -> list[dict]:
    """Value added per customer, and the share of the loyal who got the offer, per seed, both ways."""
    rows = []
    for way in ("what acting adds", "gross"):
        key = {"driver": "uplift", "model": 1, "attent": attent.version(), "way": way}
        found = [kept.get(key | {"seed": seed}, lambda seed=seed: _play(seed, way == "gross")) for seed in seeds]
        added, offered = zip(*found)
        rows.append({"method": way, "scores": list(added), "offered": list(offered)})
        say(f"uplift: {way}: {np.mean(added):.3f} per customer, offered to {np.mean(offered):.1%} of the loyal")
    gain = difference(rows[0]["scores"], rows[1]["scores"])
    say(f"uplift: gain {gain['mean']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]")
    return rows


def _play(seed: int, gross: bool) -> tuple[float, float]:
    random = np.random.default_rng([seed, 0xB19])
    numbers = random.normal(size=(CUSTOMERS, 5)).round(6)
    loyal = random.random(CUSTOMERS) < 1 / (1 + np.exp(-3 * numbers[:, 0]))
    silent, renews, buys = (random.random(CUSTOMERS) for _ in range(3))
    anyway, offered = np.where(loyal, 0.85, 0.15), np.where(loyal, 0.86, 0.30)
    actions = [
        {"id": "renewal", "group": "stay", "value": RENEWAL, "goal": "renewed"},
        {"id": "other", "group": "grow", "value": OTHER, "goal": "bought"},
    ]
    added, decided, told = 0.0, 0, []
    with attent.Lab(seed, unit="m", window=0) as lab:
        for t in range(CUSTOMERS):
            context = {f"number_{index}": value for index, value in enumerate(numbers[t].tolist())}
            assignment = "silence" if silent[t] < SILENT else "strategy"
            answer = lab.decide(t, context, actions, assignment)
            action = answer["action"]
            if assignment == "silence":
                if gross:
                    lab.discard(t, answer["decision"])
                elif renews[t] < anyway[t]:
                    lab.outcome(t, answer["decision"], "renewed")
                continue
            decided += 1
            if action == "renewal":
                added += (offered[t] - anyway[t]) * RENEWAL
                if renews[t] < offered[t]:
                    lab.outcome(t, answer["decision"], "renewed", RENEWAL)
            elif action == "other":
                added += 0.10 * OTHER
                if buys[t] < 0.10:
                    lab.outcome(t, answer["decision"], "bought", OTHER)
            if loyal[t]:
                told.append(action == "renewal")
    return added / decided, float(np.mean(told))
