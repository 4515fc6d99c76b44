"""What does one decision cost, here and at the peers, under the same rules? Installs them, starts each,
sends all the same customers, checks every answer, and writes the page.

Usage: run.py ATTENT ATTENT_SPEED ATTENT_PEERS_AXUM PAGE   (the programs that cargo built, and the page)
"""

import json
import shutil
import statistics
import subprocess
import sys
import venv

import page
from attent import EXPLAINED
from client import CONNECTIONS, Client, Trouble
from peers import HERE, PYTHON, WORK, everybody

SIZES = (100, 1_000)
CUSTOMERS = 5_000
ROUNDS = 3
ROUND_CPU_S = 0.5
CHUNK = 50


def install():
    """Everything that is pinned, into folders that git ignores."""
    WORK.mkdir(exist_ok=True)
    for folder in ("node", "unleash"):
        if not (HERE / folder / "node_modules").exists():
            command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, check=True, cwd=HERE / folder)
    if not PYTHON.exists():
        venv.create(WORK / "venv", with_pip=True)
    wanted = [PYTHON, "-m", "pip", "install", "--quiet", "--requirement", HERE / "python/requirements.txt"]
    subprocess.run(wanted, check=True)


def organisation(speed, size):
    """The made-up organisation, written by the same code that the Rust benchmarks use."""
    folder = WORK / f"organisation-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([speed, "export", str(size), str(CUSTOMERS), folder], check=True)
    whole = json.loads((folder / "organisation.json").read_text())
    rules = folder / "rules.json"
    rules.write_text(json.dumps({"predicates": whole["predicates"]}))
    return {**whole, "folder": folder, "rules": rules}


class Wrong(Exception):
    """A peer answered otherwise than expected: its figures would mean nothing."""


class Run:
    """One peer at one size, while it is up."""

    def __init__(self, peer, started):
        self.peer, self.started = peer, started
        self.requests, self.sent = started.requests(), 0
        self.rounds, self.checked, self.also_checked = [], 0, 0

    def warm_up(self):
        """Lets compilers and caches settle, and asks for what is checked once."""
        self.round()
        self.rounds.clear()
        if hasattr(self.started, "also_right"):
            right, self.also_checked = self.started.also_right()
            if right < self.also_checked:
                raise Wrong(f"{self.peer.name}: {self.also_checked - right} of {self.also_checked} records differ")

    def round(self):
        """Sends until enough processor time is spent; checks every answer."""
        client = Client(self.started.port, self.requests, self.sent)
        before, spent, answers = self.started.cpu_s(), 0, []
        while spent < ROUND_CPU_S:
            answers += client.send(max(CHUNK, len(answers) // 4))
            spent = self.started.cpu_s() - before
        client.close()
        self.sent = client.sent
        self.rounds.append(1_000_000 * spent / len(answers))
        for number, body in answers:
            if not self.started.right(number, body):
                raise Wrong(f"{self.peer.name}, customer {number}: {body[:300]!r}")
        self.checked += len(answers)

    def microseconds(self):
        return statistics.median(self.rounds)


def measure(peers, organisation):
    """All peers up at once and measured in turns, so that a busy moment of the machine meets all alike."""
    runs, skipped = {}, {}
    try:
        for peer in peers:
            print(f"{peer.name}, {len(organisation['predicates'])} actions", file=sys.stderr)
            try:
                runs[peer.name] = Run(peer, peer.start(organisation))
            except (Trouble, OSError, subprocess.CalledProcessError) as trouble:
                skipped[peer.name] = str(trouble)
                print(f"left out: {peer.name}, which {trouble}", file=sys.stderr)
        for run in runs.values():
            run.warm_up()
        for _ in range(ROUNDS):
            for run in runs.values():
                run.round()
    finally:
        for run in runs.values():
            run.started.stop()
    return runs, skipped


def main(attent, speed, axum, target):
    install()
    peers = everybody(attent, axum)
    results = [(size, *measure(peers, organisation(speed, size))) for size in SIZES]
    counts = {"customers": CUSTOMERS, "rounds": ROUNDS, "connections": CONNECTIONS}
    page.write(target, results, {**counts, "also": EXPLAINED})


if __name__ == "__main__":
    main(*sys.argv[1:])
