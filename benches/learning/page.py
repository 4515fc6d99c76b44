"""The page: what was measured, beside the gates, with machine and command."""

import os
import platform
from datetime import date

import numpy as np

import attent
import vw
from table import difference, interval, markdown, told

BAKEOFF = ["ours", "VW tuned", "VW one configuration", "best fixed arm", "uniform"]


def scores(rows: list[dict], **which) -> list[float]:
    """The scores of the row with these properties."""
    return next(row["scores"] for row in rows if all(row.get(key) == value for key, value in which.items()))


def write(found: dict, command: str, path=None) -> str:
    """The page of everything found; a driver that did not run leaves its part out."""
    parts = [_head(command)]
    tellers = {
        "bakeoff": _bakeoff,
        "market": _market,
        "delay": _delay,
        "bank": _bank,
        "hillstrom": _hillstrom,
        "openbandit": _open_bandit,
        "uplift": _uplift,
        "shuffled": _shuffled,
    }
    parts.extend(tell(found) for name, tell in tellers.items() if name in found)
    text = "\n\n".join(parts) + "\n"
    if path:
        path.write_text(text)
    return text


def _head(command: str) -> str:
    return f"""# Learning, measured

Written by `{command}` on {date.today()}: {_machine()}, Python {platform.python_version()}, Vowpal Wabbit
{vw.version()} in the same run, `attent` {attent.version()} driven as `attent lab`. What the worlds and protocols
are is said in `benches/learning/*.py`. Ours is the one shipped configuration everywhere; VW is given
the best of its configurations on seed 0. Intervals are Student's, 95 %, over seeds paired within each seed. The
bake-off, Bank Marketing, Hillstrom and Open Bandit are real data; the market and the uplift world are simulated."""


def _machine() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def _bakeoff(found) -> str:
    rows = found["bakeoff"]
    sets = list(dict.fromkeys(row["set"] for row in rows))
    methods = [method for method in BAKEOFF if any(row["method"] == method for row in rows)]
    paired = "VW tuned" in methods and "ours" in methods
    lines, gains = [], []
    for name in sets:
        line = [name] + [f"{np.mean(scores(rows, set=name, method=method)):.4f}" for method in methods]
        if paired:
            gain = difference(scores(rows, set=name, method="ours"), scores(rows, set=name, method="VW tuned"))
            gains.append(gain["mean"])
            line.append(told(gain))
        lines.append(line)
    mean = ["**mean**"]
    mean += [f"**{np.mean([np.mean(scores(rows, set=n, method=m)) for n in sets]):.4f}**" for m in methods]
    text = "## L1: bake-off, mean reward before learning from it\n\n"
    if paired:
        by_seed = [
            np.mean([scores(rows, set=n, method="ours") for n in sets], axis=0),
            np.mean([scores(rows, set=n, method="VW tuned") for n in sets], axis=0),
        ]
        lines.append([*mean, f"**{told(difference(*by_seed))}**"])
        text += markdown(["set", *methods, "ours − VW tuned"], lines)
        met = np.mean(gains) >= 0.04 and min(gains) >= -0.01
        text += f"\n\nGate: mean ≥ +.040 and no set below −.010. {_met(met)} (worst set {min(gains):+.4f})."
    else:
        lines.append(mean)
        text += markdown(["set", *methods], lines)
    return text


def _shares(rows) -> str:
    lines = []
    for row in rows:
        share = interval(row["scores"])
        lines.append([row["method"], f"{share['mean']:.4f}", f"[{share['low']:.4f}, {share['high']:.4f}]"])
    return markdown(["method", "share of oracle value", "over worlds"], lines)


def _market(found) -> str:
    rows = found["market"]
    ours, theirs = scores(rows, method="ours"), scores(rows, method="VW logistic x value")
    regret = (1 - np.mean(ours)) / (1 - np.mean(theirs))
    met = np.mean(ours) >= 0.79 and regret <= 0.88
    return (
        "## L2: marketing simulator (simulated)\n\n" + _shares(rows) +
        f"\n\nOurs − VW logistic × value: {told(difference(ours, theirs))}; regret {regret:.3f} of VW's. "
        f"Gate: share ≥ .79, regret ≤ .88. {_met(met)}."
    )


def _delay(found) -> str:
    rows = found["delay"]
    ours = scores(rows, method="ours")
    text = "## L3: the same with late outcomes (simulated)\n\n" + _shares(rows)
    if "market" in found:
        kept = np.mean(ours) / np.mean(scores(found["market"], method="ours"))
        met = kept >= 0.93 and np.mean(ours) >= 0.74
        text += f"\n\n{kept:.1%} of our own score without delay. Gate: ≥ 93 % and ≥ .74. {_met(met)}."
    return text


def _bank(found) -> str:
    rows = found["bank"]
    lines = [[row["method"], f"{row['auc']:.4f}", f"{row['log_loss']:.4f}", f"{row['ece']:.4f}"] for row in rows]
    return (
        "## L4: Bank Marketing, first 80 % in order of time, without `duration`\n\n" +
        markdown(["method", "AUC", "log-loss", "calibration error"], lines) +
        "\n\nThe gate (AUC ≥ .796, log-loss ≤ .2745, calibration error ≤ .010) is for the whole set, not for this part."
    )


def _visits(rows) -> str:
    lines = [[row["method"], f"{interval(row['scores'])['mean']:.5f}"] for row in rows]
    return markdown(["policy", "visits per customer"], lines)


def _hillstrom(found) -> str:
    rows = found["hillstrom"]
    gain = difference(scores(rows, method="ours"), scores(rows, method="context-free Thompson"))
    return (
        "## L5: Hillstrom e-mail test, replayed\n\n" + _visits(rows) +
        f"\n\nOurs − Thompson: {told(gain, 5)}. Gate: not below by more than .001. {_met(gain['mean'] >= -0.001)}."
    )


def _open_bandit(found) -> str:
    lines = [
        [row["policy"], f"{row['mean']:.5f}", f"[{row['low']:.5f}, {row['high']:.5f}]"] for row in found["openbandit"]
    ]
    return (
        "## Open Bandit, men\n\n" + markdown(["policy", "clicks per impression", "interval"], lines) +
        "\n\n46 and 69 clicks of 10,000: this shows the plumbing and ranks nothing."
    )


def _uplift(found) -> str:
    rows = found["uplift"]
    lines = [
        [row["method"], f"{np.mean(row['scores']):.3f}", f"{np.mean(row['offered']):.1%}"] for row in rows
    ]
    gain = difference(rows[0]["scores"], rows[1]["scores"])
    less = difference(rows[0]["offered"], rows[1]["offered"])
    met = gain["low"] > 0 and less["high"] < 0
    return (
        "## L11: half renew anyway (simulated)\n\n" +
        markdown(["value is", "euro added per customer", "of the loyal got the offer"], lines) +
        f"\n\nGain {told(gain, 3)} euro, offers to the loyal {told(less, 3)}. "
        f"Gate: gain above 0, offers to the loyal fall. {_met(met)}."
    )


def _shuffled(found) -> str:
    rows = found["shuffled"]
    gain = difference(scores(rows, method="ours"), scores(rows, method="uniform"))
    met = gain["low"] <= 0 <= gain["high"]
    return (
        "## L12: Hillstrom with the visits shuffled\n\n" + _visits(rows) +
        f"\n\nOurs − uniform: {told(gain, 5)}. Gate: the interval contains 0. {_met(met)}."
    )


def _met(met) -> str:
    return "Met" if met else "**Not met**"
