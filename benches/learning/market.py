"""Gates L2 and L3, the marketing simulator: which of ten offers, for this customer, now?

The world, all drawn from its seed:

* 15,000 customers come by, one per minute. Each has 8 numbers (independent standard normal) and 3 categories
  (of 3, 4 and 5 words, equally likely); a category counts as its one-hot columns, so z has 20 columns.
* 40 actions in 8 groups of 5. An action's value is log-uniform from 5 to 200 euro, constant. 25 actions exist
  from the start; 15, drawn at random, arrive at random moments between a tenth and eight tenths of the run.
  10 of those that have arrived, drawn anew for every customer, are eligible.
* P(converted | action, z) = logistic(b + (g + a)·z), with an intercept b = -3.8 + group N(0, .5) + action
  N(0, .5), group weights g of N(0, .50) and action weights a of N(0, .35) per column. At the median 3 of 100
  convert.
* Halfway, 4 of the 8 groups drift: their group intercepts and group weights are drawn anew.
* Delays (L3): of the conversions 30 % come at once, the others after an exponential delay of 1,500 customers on
  average; what comes after more than 4,500 customers is never told.

The score is the sum over customers of P·value of what was picked, by the world's own P, as a share of the
same sum for the best eligible action; whether a customer converts is drawn with the same uniform number for
every method. No method sees b, g, a, the drift or the arrivals; all see context, group, eligible and value.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

import attent
import vw

CUSTOMERS = 15_000
ACTIONS, GROUPS, ELIGIBLE, LATE = 40, 8, 10, 15
WORDS = [3, 4, 5]
NUMBERS = 8
WINDOW, DELAY, AT_ONCE = 4_500, 1_500, 0.3


@dataclass
class World:
    """What is true, per customer and action, and what everybody may see."""

    contexts: list[dict]
    eligible: np.ndarray
    values: np.ndarray
    groups: np.ndarray
    chances: np.ndarray
    uniforms: np.ndarray
    delays: np.ndarray

    def best(self) -> float:
        worth = self.chances * self.values
        return float(np.take_along_axis(worth, self.eligible, 1).max(1).sum())

    def share(self, picks: list[int]) -> float:
        """Share of what the best eligible actions are worth; -1 is silence, worth nothing."""
        picks = np.array(picks)
        worth = self.chances[np.arange(len(picks)), picks] * self.values[picks]
        return float(worth[picks >= 0].sum() / self.best())


@lru_cache(maxsize=2)
def world(seed: int, customers: int = CUSTOMERS) -> World:
    random = np.random.default_rng([seed, 0xA77E])
    numbers = random.normal(size=(customers, NUMBERS))
    words = [random.integers(0, count, customers) for count in WORDS]
    z = np.column_stack([numbers, *(np.eye(count)[word] for count, word in zip(WORDS, words))])
    groups = np.arange(ACTIONS) % GROUPS
    values = np.exp(random.uniform(np.log(5), np.log(200), ACTIONS))

    def logits(group_intercepts, group_weights):
        weights = group_weights[groups] + action_weights
        return -3.8 + (group_intercepts[groups] + action_intercepts) + z @ weights.T

    action_intercepts = random.normal(0, 0.5, ACTIONS)
    action_weights = random.normal(0, 0.35, (ACTIONS, z.shape[1]))
    before = random.normal(0, 0.5, GROUPS), random.normal(0, 0.5, (GROUPS, z.shape[1]))
    anew = random.normal(0, 0.5, GROUPS), random.normal(0, 0.5, (GROUPS, z.shape[1]))
    drifts = np.isin(np.arange(GROUPS), random.choice(GROUPS, GROUPS // 2, replace=False))
    after = np.where(drifts, anew[0], before[0]), np.where(drifts[:, None], anew[1], before[1])
    half = np.arange(customers)[:, None] < customers // 2
    chances = 1 / (1 + np.exp(-np.where(half, logits(*before), logits(*after))))

    arrives = np.zeros(ACTIONS)
    arrives[random.choice(ACTIONS, LATE, replace=False)] = random.uniform(0.1, 0.8, LATE) * customers
    order = random.random((customers, ACTIONS))
    order[np.arange(customers)[:, None] < arrives] = np.inf
    eligible = np.argsort(order, axis=1)[:, :ELIGIBLE]

    contexts = [
        {f"number_{index}": round(float(value), 6) for index, value in enumerate(numbers[row])}
        | {f"category_{index}": f"word_{word[row]}" for index, word in enumerate(words)}
        for row in range(customers)
    ]
    at_once = random.random(customers) < AT_ONCE
    delays = np.where(at_once, 0, np.ceil(random.exponential(DELAY, customers)))
    return World(contexts, eligible, values, groups, chances, random.random(customers), delays)


METHODS = ["ours", "VW logistic x value", "VW on value", "context-free Thompson", "uniform"]


def play(kept, seeds=range(1, 11), methods=METHODS, delayed=False, customers=CUSTOMERS, say=print) -> list[dict]:
    """One row per method with its share per seed. Vowpal Wabbit's ways are tuned on world 0, at once."""
    rows = []
    for method in methods:
        ways = {"VW logistic x value": LOGISTIC_WAYS, "VW on value": VALUE_WAYS}.get(method, [{}])
        tried = [_kept(kept, method, way, 0, False, customers) for way in ways] if len(ways) > 1 else [0]
        way = ways[int(np.argmax(tried))]
        shares = [_kept(kept, method, way, seed, delayed, customers) for seed in seeds]
        say(f"market{', delayed' if delayed else ''}: {method} {np.mean(shares):.4f} {way or ''}")
        rows.append({"method": method, "scores": shares})
    return rows


def _kept(kept, method, way, seed, delayed, customers) -> float:
    by = {"attent": attent.version()} if method == "ours" else {"vw": vw.version()} if "VW" in method else {}
    key = {"driver": "market", "model": 1, "method": method, "way": way, "seed": seed} | by
    key |= {"delayed": delayed, "customers": customers}

    def make():
        truth = world(seed, customers)
        return truth.share(PLAYERS[method](truth, way, seed, delayed))

    return kept.get(key, make)


def _arrivals(truth: World, delayed: bool):
    """After which customer a conversion of each is told; `None` when never."""
    if not delayed:
        return [0] * len(truth.uniforms)
    return [int(delay) if delay <= WINDOW else None for delay in truth.delays]


def _ours(truth: World, _, seed: int, delayed: bool) -> list[int]:
    window = WINDOW if delayed else 0
    arrivals, due, picks = _arrivals(truth, delayed), {}, []
    with attent.Lab(seed, unit="m", window=window) as lab:
        for t, context in enumerate(truth.contexts):
            for decision, value in due.pop(t, []):
                lab.outcome(t, decision, value=value)
            actions = [
                {"id": f"action_{arm}", "group": f"group_{truth.groups[arm]}", "value": float(truth.values[arm])}
                for arm in truth.eligible[t]
            ]
            answer = lab.decide(t, context, actions)
            arm = int(answer["action"].removeprefix("action_")) if answer["action"] else -1
            picks.append(arm)
            converts = arm >= 0 and truth.uniforms[t] < truth.chances[t, arm]
            if converts and arrivals[t] == 0:
                lab.outcome(t, answer["decision"], value=float(truth.values[arm]))
            elif converts and arrivals[t] is not None:
                due.setdefault(t + arrivals[t], []).append((answer["decision"], float(truth.values[arm])))
    return picks


LOGISTIC_WAYS = [
    {"rate": rate, "epsilon": epsilon, "bits": 18} for rate in (0.1, 0.5, 2.0) for epsilon in (0.02, 0.05, 0.1)
]


def _vw_logistic(truth: World, way: dict, seed: int, delayed: bool) -> list[int]:
    """Logistic regression on context, action, group and their pairs, times value, epsilon-greedy. Under delay
    silence is a no at once, and a conversion a yes when it comes."""
    options = "--loss_function logistic --link logistic -q xa -q xg --quiet --random_seed 1"
    workspace = vw.Workspace(f"{options} -l {way['rate']} -b {way['bits']}")
    random = np.random.default_rng([seed, 0x10616])
    arrivals, due, picks = _arrivals(truth, delayed), {}, []
    for t, context in enumerate(truth.contexts):
        for text in due.pop(t, []):
            workspace.learn("1 " + text)
        texts = [_text(context, arm, truth.groups[arm]) for arm in truth.eligible[t]]
        worth = [workspace.predict(text) * truth.values[arm] for text, arm in zip(texts, truth.eligible[t])]
        explores, any_one = random.random() < way["epsilon"], random.integers(ELIGIBLE)
        chosen = any_one if explores else int(np.argmax(worth))
        arm = int(truth.eligible[t, chosen])
        picks.append(arm)
        converts = truth.uniforms[t] < truth.chances[t, arm]
        now = converts and arrivals[t] == 0
        workspace.learn(("1 " if now else "-1 ") + texts[chosen])
        if converts and arrivals[t]:
            due.setdefault(t + arrivals[t], []).append(texts[chosen])
    workspace.finish()
    return picks


def _text(context: dict, arm: int, group: int) -> str:
    return f"|x {vw.features(context)} |a action_{arm} |g group_{group}"


VALUE_WAYS = [
    {"way": way, "rate": rate}
    for way in ("--cb_type mtr --epsilon 0.05", "--cb_type mtr --squarecb --gamma_scale 100")
    for rate in (0.1, 0.5, 2.0)
]


def _vw_value(truth: World, way: dict, seed: int, delayed: bool) -> list[int]:
    """A contextual bandit whose cost is the value lost, as a share of 200 euro."""
    options = f"--cb_explore_adf {way['way']} -l {way['rate']} -q xa -q xg --quiet --random_seed 1"
    workspace = vw.Workspace(options)
    random = np.random.default_rng([seed, 0x7A1])
    arrivals, due, picks = _arrivals(truth, delayed), {}, []
    for t, context in enumerate(truth.contexts):
        for lines in due.pop(t, []):
            workspace.learn(lines)
        shared = f"shared |x {vw.features(context)}"
        lines = [f"|a action_{arm} |g group_{truth.groups[arm]}" for arm in truth.eligible[t]]
        chosen, probability = vw.pick(workspace.predict([shared, *lines]), random.random())
        arm = int(truth.eligible[t, chosen])
        picks.append(arm)
        converts = truth.uniforms[t] < truth.chances[t, arm]

        def labelled(cost, lines=lines, shared=shared, chosen=chosen, probability=probability):
            own = lines.copy()
            own[chosen] = f"0:{cost}:{probability} {lines[chosen]}"
            return [shared, *own]

        now = converts and arrivals[t] == 0
        workspace.learn(labelled(-truth.values[arm] / 200 if now else 0.0))
        if converts and arrivals[t]:
            due.setdefault(t + arrivals[t], []).append(labelled(-truth.values[arm] / 200))
    workspace.finish()
    return picks


def _thompson(truth: World, _, seed: int, delayed: bool) -> list[int]:
    """Beta-Bernoulli per action from Beta(1, 19), drawn once per decision, times value. No context."""
    random = np.random.default_rng([seed, 0xBE7A])
    yes, no = np.ones(ACTIONS), np.full(ACTIONS, 19.0)
    arrivals, due, picks = _arrivals(truth, delayed), {}, []
    for t in range(len(truth.contexts)):
        for arm in due.pop(t, []):
            yes[arm] += 1
            no[arm] -= 1
        arms = truth.eligible[t]
        arm = int(arms[np.argmax(random.beta(yes[arms], no[arms]) * truth.values[arms])])
        picks.append(arm)
        converts = truth.uniforms[t] < truth.chances[t, arm]
        now = converts and arrivals[t] == 0
        (yes if now else no)[arm] += 1
        if converts and arrivals[t]:
            due.setdefault(t + arrivals[t], []).append(arm)
    return picks


def _uniform(truth: World, _, seed: int, delayed: bool) -> list[int]:
    random = np.random.default_rng([seed, 0x041])
    return [int(random.choice(arms)) for arms in truth.eligible]


PLAYERS = {
    "ours": _ours,
    "VW logistic x value": _vw_logistic,
    "VW on value": _vw_value,
    "context-free Thompson": _thompson,
    "uniform": _uniform,
}
