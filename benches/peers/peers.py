"""Who is compared, in which version, and how is each started?"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attent import Attent
from library import Bare, Library, Model
from unleash import PROGRAMS, Unleash

HERE = Path(__file__).parent
WORK = HERE / ".work"
PYTHON = WORK / "venv/bin/python"


@dataclass
class Peer:
    """One row of the table."""

    name: str
    versions: str
    does: str
    start: Callable


def everybody(attent, axum):
    """All rows, the product first; `attent` and `axum` are the programs that cargo built."""
    node = "Node " + output("node", "--version")[1:]
    fastapi = f"FastAPI {pinned('fastapi')}, uvicorn {pinned('uvicorn')}"

    def in_node(name, kind=Library):
        command = ["node", HERE / "node/server.js", name]
        return lambda it: kind([*command, it["rules"]], it, log(name))

    def in_python(name):
        command = [PYTHON, HERE / "python/server.py", name]
        return lambda it: Model([*command, it["rules"]], it, log(name))

    def in_axum(it):
        return Bare([axum, len(it["predicates"])], it, log("axum"))

    def flags(it):
        return Unleash(HERE / "unleash/node_modules/unleash-server/dist/server.js", it, log("unleash"))

    def ours(it):
        return Attent(attent, it, log("attent"))

    in_numpy = "rules in numpy, best action by "
    complete = "key, profile and consent from the store, rules, contact policy, learned models, durable record"
    rows = [
        ("Attent", output(attent, "--version").split()[-1], complete, ours),
        ("axum, no rules", locked_crate("axum"), "reads and writes the JSON", in_axum),
        ("Node, no rules", node, "reads and writes the JSON", in_node("bare", Bare)),
        ("Node, a loop by hand", node, "rules", in_node("loop")),
        ("json-logic-js in Node", locked("node", "json-logic-js"), "rules", in_node("jsonlogic")),
        ("GoRules ZEN in Node", locked("node", "@gorules/zen-engine"), "rules, as a decision table", in_node("zen")),
        ("GrowthBook SDK in Node", locked("node", "@growthbook/growthbook"), "rules, as features", in_node("growthbook")),
        ("scikit-learn", f"{pinned('scikit-learn')}, {fastapi}", in_numpy + "logistic regression", in_python("scikit-learn")),
        ("Vowpal Wabbit", f"{pinned('vowpalwabbit')}, {fastapi}", in_numpy + "contextual bandit", in_python("vowpal-wabbit")),
        ("Unleash", f"{locked('unleash', 'unleash-server')}, PostgreSQL {postgres()}", "key, rules as flags", flags),
    ]
    return [Peer(*row) for row in rows]


def log(name):
    return WORK / f"{name}.log"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def postgres():
    return output(PROGRAMS[-1] / "postgres", "--version").split()[2] if PROGRAMS else "not installed"


def pinned(package):
    lines = (HERE / "python/requirements.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(package + "=="))


def locked(folder, package):
    lock = json.loads((HERE / folder / "package-lock.json").read_text())
    return lock["packages"][f"node_modules/{package}"]["version"]


def locked_crate(package):
    lines = (HERE / "axum/Cargo.lock").read_text().splitlines()
    return lines[lines.index(f'name = "{package}"') + 1].split('"')[1]
