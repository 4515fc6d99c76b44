"""Which results are known already? One small JSON file per result, named by everything that made it."""

import hashlib
import json
import os
from pathlib import Path


def folder() -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("BENCH_LEARNING_KEPT", root / "target" / "bench-learning"))


class Kept:
    """Results by key. `fresh` forgets nothing but believes nothing either: every result is made anew, once."""

    def __init__(self, fresh: bool = False):
        self.fresh = fresh
        self.made = set()

    def get(self, key: dict, make):
        """The result of `make()`, a JSON value, unless it was made before under the same key."""
        text = json.dumps(key, sort_keys=True)
        path = folder() / key["driver"] / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
        if path.exists() and (not self.fresh or text in self.made):
            return json.loads(path.read_text())["result"]
        result = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"key": key, "result": result}))
        partial.rename(path)
        self.made.add(text)
        return result
