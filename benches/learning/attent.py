"""`attent lab` as an object: the shipped binary, one JSON line in, one out."""

import functools
import hashlib
import json
import os
import subprocess
from pathlib import Path


def binary() -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("ATTENT", root / "target" / "release" / "attent"))


@functools.cache
def version() -> str:
    """Names the binary by its content."""
    return hashlib.sha256(binary().read_bytes()).hexdigest()[:16]


class Lab:
    """One run on a virtual clock. Use as a context manager; what the lab refuses is raised."""

    def __init__(self, seed: int, **options):
        command = [binary(), "lab"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._say({"options": {"seed": seed, **options}})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        code = self.process.wait()
        if kind is None and (rest or code != 0):
            raise RuntimeError(f"the lab ended with {code}: {rest[:500]!r}")

    def decide(self, t, context: dict, actions: list, assignment: str = "strategy") -> dict:
        asked = {"context": context, "actions": actions}
        if assignment != "strategy":
            asked["assignment"] = assignment
        self._say({"t": t, "decide": asked})
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or b'{"error": "the lab is gone"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def outcome(self, t, decision: str, kind: str = "converted", value: float = 0.0):
        self._say({"t": t, "outcome": {"decision": decision, "kind": kind, "value": value}})

    def discard(self, t, decision: str):
        self._say({"t": t, "discard": {"decision": decision}})

    def advance(self, t):
        self._say({"t": t, "advance": {}})

    def _say(self, message: dict):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
