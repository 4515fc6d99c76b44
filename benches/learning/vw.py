"""Vowpal Wabbit on the same rows, orders and seeds: bandits for the bake-off, and the grid they are tuned over."""

import numpy as np
import vowpalwabbit
from vowpalwabbit import Workspace


def version() -> str:
    return vowpalwabbit.__version__


def grid() -> list[dict]:
    """52 configurations: 13 ways to explore, with and without pairs of features, at two learning rates.

    `low` is the cost of a reward: 0 starts optimistic, for nothing was learned costs 0 too; -1 does not.
    Ways marked `adf` exist only where every arm has its features, so the context is crossed with the arm.
    """
    ways = [
        {"way": "--cb_type mtr --epsilon 0.02", "low": 0},
        {"way": "--cb_type mtr --epsilon 0.02", "low": -1},
        {"way": "--cb_type mtr --epsilon 0.0", "low": -1},
        {"way": "--cb_type mtr --epsilon 0.05", "low": 0},
        {"way": "--cb_type mtr --epsilon 0.0", "low": 0},
        {"way": "--cb_type dr --epsilon 0.0", "low": 0},
        {"way": "--cb_type dr --bag 4 --epsilon 0.0", "low": 0},
        {"way": "--cb_type mtr --squarecb --gamma_scale 1000", "low": -1, "adf": True},
        {"way": "--cb_type dr --cover 4 --nounif --epsilon 0.0", "low": 0},
        {"way": "--cb_type mtr --squarecb --gamma_scale 100", "low": 0, "adf": True},
        {"way": "--cb_type mtr --squarecb --gamma_scale 1000", "low": 0, "adf": True},
        {"way": "--cb_type mtr --bag 4 --greedify --epsilon 0.0", "low": 0, "adf": True},
        {"way": "--cb_type mtr --regcb --mellowness 0.01", "low": 0, "adf": True},
    ]
    shapes = [(pairs, rate) for pairs in (False, True) for rate in (0.5, 2.0)]
    return [way | {"pairs": pairs, "rate": rate} for way in ways for pairs, rate in shapes]


def name(configuration: dict) -> str:
    parts = [configuration["way"], f"-l {configuration['rate']}", f"reward costs {configuration['low']}"]
    return "; ".join(parts + (["pairs"] if configuration["pairs"] else []))


def bake(configuration: dict, contexts: list[str], classes: np.ndarray, arms: int, seed: int) -> float:
    """Mean reward of the sampled arm, each before learning from it. Contexts are `f0:1 f7:.25`."""
    uniforms = np.random.default_rng([seed, 0x5EED]).random(len(contexts))
    play = _play_adf if configuration.get("adf") else _play
    return play(configuration, contexts, classes, arms, uniforms) / len(contexts)


def _play(configuration, contexts, classes, arms, uniforms) -> int:
    pairs = "--quadratic xx" if configuration["pairs"] else ""
    options = f"--cb_explore {arms} {configuration['way']} {pairs} -l {configuration['rate']}"
    workspace = Workspace(f"{options} --quiet -b 20 --random_seed 1")
    reward_sum = 0
    for context, right, uniform in zip(contexts, classes, uniforms, strict=True):
        vector = workspace.predict(f"|x {context}")
        arm, probability = pick(vector, uniform)
        reward = int(arm == right)
        reward_sum += reward
        cost = configuration["low"] + 1 - reward
        workspace.learn(f"{arm + 1}:{cost}:{probability} |x {context}")
    workspace.finish()
    return reward_sum


def _play_adf(configuration, contexts, classes, arms, uniforms) -> int:
    crossed = "--interactions xa" + (" --interactions xxa" if configuration["pairs"] else "")
    options = f"--cb_explore_adf {configuration['way']} {crossed} --ignore_linear x -l {configuration['rate']}"
    workspace = Workspace(f"{options} --quiet -b 20 --random_seed 1")
    lines = [f"|a arm{arm}" for arm in range(arms)]
    reward_sum = 0
    for context, right, uniform in zip(contexts, classes, uniforms, strict=True):
        shared = f"shared |x {context}"
        vector = workspace.predict([shared, *lines])
        arm, probability = pick(vector, uniform)
        reward = int(arm == right)
        reward_sum += reward
        cost = configuration["low"] + 1 - reward
        labelled = lines.copy()
        labelled[arm] = f"0:{cost}:{probability} {lines[arm]}"
        workspace.learn([shared, *labelled])
    workspace.finish()
    return reward_sum


def features(context: dict) -> str:
    """A context of numbers and words as Vowpal Wabbit reads it."""
    told = []
    for name, value in context.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        told.append(f"{name}:{value}" if number else f"{name}={str(value).replace(' ', '_').replace(':', '_')}")
    return " ".join(told)


def pick(vector, uniform: float) -> tuple[int, float]:
    """The arm at `uniform` of the cumulative vector, and its probability."""
    total = sum(vector)
    reached = 0.0
    last = 0
    for arm, probability in enumerate(vector):
        if probability > 0:
            reached += probability
            last = arm
            if uniform * total < reached:
                break
    return last, vector[last] / total
