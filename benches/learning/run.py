#!/usr/bin/env python3
"""How well does the shipped code learn? Drivers in front of `attent lab`, Vowpal Wabbit in the same run.

Results are kept in `target/bench-learning`, named by data, seed, configuration and version: only what changed
is made again. `--fresh` makes everything anew, `--quick` takes a small part of everything in minutes.
"""

import argparse
import sys
from pathlib import Path

import bakeoff
import bank
import market
import page
import replay
import uplift
from data import SETS
from kept import Kept

QUICK = ["vowel", "car", "cmc"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "learning.md"


def say(text: str):
    print(text, file=sys.stderr, flush=True)


def drivers(kept, asked) -> dict:
    """Every driver by name, ready to run."""
    sets = asked.sets or (QUICK if asked.quick else SETS)
    few = asked.seeds or ([1, 2] if asked.quick else [1, 2, 3, 4, 5])
    many = asked.seeds or ([1, 2] if asked.quick else list(range(1, 11)))
    customers = 4_000 if asked.quick else market.CUSTOMERS
    bandits = ["ours"] if asked.ours else ["ours", "vw"]
    marketers = ["ours"] if asked.ours else market.METHODS
    return {
        "bakeoff": lambda: bakeoff.play(kept, sets, few, bandits, say),
        "market": lambda: market.play(kept, many, marketers, False, customers, say),
        "delay": lambda: market.play(kept, many, marketers, True, customers, say),
        "bank": lambda: bank.play(kept, say),
        "hillstrom": lambda: replay.hillstrom(kept, many, False, say),
        "openbandit": lambda: replay.open_bandit(kept, say),
        "uplift": lambda: uplift.play(kept, many, say),
        "shuffled": lambda: replay.hillstrom(kept, many, True, say),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["bakeoff", "market", "delay", "bank", "hillstrom", "openbandit", "uplift", "shuffled"]
    parser.add_argument("driver", nargs="*", metavar="DRIVER", help=f"all, or of {', '.join(names)}")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="of the bake-off")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--ours", action="store_true", help="leave the others out of bake-off and market; writes no page")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="make every result anew")
    parser.add_argument("--write", action="store_true", help=f"write docs/benchmarks/{PAGE.name}")
    asked = parser.parse_args()
    ready = drivers(Kept(asked.fresh), asked)
    wanted = names if asked.driver in ([], ["all"]) else asked.driver
    if unknown := [name for name in wanted if name not in ready]:
        parser.error(f"no driver is called {unknown[0]}")
    found = {name: ready[name]() for name in wanted}
    if not asked.ours:
        print(page.write(found, "make bench-learning", PAGE if asked.write else None))


if __name__ == "__main__":
    main()
