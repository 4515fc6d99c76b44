"""What was measured, as a page for people."""

import os
import platform
from datetime import date
from pathlib import Path

OURS = "Attent"

WORDS = """# Peers: processor time per request, the same rules, the same answers

{machine}, {today}. Made by `make bench-peers`; simulated customers and actions, no real data.

One made-up organisation with 100 and with 1,000 actions, each with three comparisons (`>` or `<=` a constant) over
64 numeric attributes of the customer; one action in eight is eligible. The same code writes the rules,
{customers:,} customers and the right answers for everybody. One client sends the same customers to every server
over {connections} keep-alive connections. Processor time (user and system) is that of the server's whole process
tree, a database included, divided by requests; the median of {rounds} rounds, in turns, all servers up at once,
after one round to warm up. Wall time is not used. Every measured answer is compared with the right one, and a
single difference fails the run.

{table}

## What is compared, and what is not
- **Attent does more than its neighbours in this table.** It is asked for a decision by the customer's identifier
  and gives one action, or silence, with its texts: it checks the key, finds the customer's row and consent, reads
  purposes and retention, works out rules, principle and contact limits, estimates every eligible action for three
  outcomes with its learned models, arbitrates, explores with recorded probabilities, and answers when the record,
  with what it read, is durable on disk. The others get all 64 values in the request, keep nothing, and forget it.
  Where a ratio is below 1, that smaller job costs less than the complete decision.
- **The others send longer bodies**: about 0.8 KB of attributes, and the list of eligible actions back. Attent gets
  0.1 KB and answers 0.3 KB. The rows "no rules" are what such bodies cost by themselves: subtract them to see the
  libraries alone.
- **A right answer** is the list of eligible actions for rule engines and flags. The model peers must give the same
  list, and their best action must be in it. Attent's action must be in it in every measured answer; in {also}
  decisions per size the whole list was read from the explanation of the record, and compared.
- **What Attent answered**, per size: {answered}. Nearly every measured decision is the first
  about its customer since the server started, so caches help it little.
- **The models are not the same.** Attent's are those it learned from made-up contacts in its store; scikit-learn is
  one logistic regression for all actions, Vowpal Wabbit a contextual bandit over text examples. The figures are
  what calling them costs; what they learn is not compared.
- **A loop written by hand in Node** is the honest floor for plain rules in that language: it has no consent, no
  reasons, no record, and no way for anybody but a programmer to change a rule.
- **Libraries are used as their documentation shows**, with rules parsed once: GrowthBook's client for many users,
  ZEN's decision table with one expression per row. One process each; more of them divide the wall time, not this.
- **Attent's deadline is raised** from 100 ms to a minute, so that a busy machine makes no neutral defaults, which
  cost less.
- Processor time on a shared machine varies between runs, by tens of per cent when others are busy. Ratios within
  one run are what counts.
"""


def write(target, results, counts):
    """`results`: per size, runs by name and reasons by name of who was skipped."""
    file = Path(target)
    file.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine(), "today": date.today(), "table": table(results), "answered": answered(results)}
    file.write_text(WORDS.format(**facts, **counts))


def table(results):
    """One row per peer, three columns per size, and who is missing why."""
    titles = ["server", "version", "per request"]
    for size, _, _ in results:
        titles += [f"{size:,} actions: µs", "× Attent", "answers right"]
    lines = [titles, ["---"] * 3 + ["---:"] * (len(titles) - 3)]
    peers = {name: run.peer for _, runs, _ in results for name, run in runs.items()}
    for name, peer in peers.items():
        figures = [cell for _, runs, _ in results for cell in cells(runs.get(name), runs[OURS])]
        lines.append([name, peer.versions, peer.does, *figures])
    missing = {f"Not in the table: {name}, which {why}." for _, _, skipped in results for name, why in skipped.items()}
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", *sorted(missing)]).rstrip()


def answered(results):
    """How often our answers said something, and how often again."""
    ours = [(size, runs[OURS].started) for size, runs, _ in results]
    shares = [(size, one.said / one.answers, one.again / one.answers) for size, one in ours]
    return "; ".join(f"{size:,} actions: an action in {said:.0%}, again in {again:.0%}" for size, said, again in shares)


def cells(run, ours):
    if run is None:
        return ["–", "–", "–"]
    spent, ratio = run.microseconds(), run.microseconds() / ours.microseconds()
    checked = run.checked + run.also_checked
    return [f"{spent:,.0f}", f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}", f"{checked:,}/{checked:,}"]


def machine():
    """What it ran on, and how busy that was."""
    processor = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1_048_576
    load = os.getloadavg()[1]
    system = platform.system()
    return f"{processor}, {os.cpu_count()} cores, {memory} GB, {system}, load {load:.0f} at the end"
