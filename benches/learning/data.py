"""Where the public data lie, and how they are read."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SETS = ["vowel", "car", "cmc", "splice", "sick", "hypothyroid", "spambase", "mushroom", "nursery", "pendigits"]
SETS.append("letter")


def folder() -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("BENCH_LEARNING_DATA", root.parent / "shared" / "data"))


@dataclass
class Classified:
    """A classification set: nominal columns one-hot, numbers from 0 to 1, NaN where a number is missing."""

    name: str
    columns: np.ndarray
    classes: np.ndarray
    arms: int


def classified(name: str) -> Classified:
    attributes, rows = _arff(folder() / "bakeoff" / f"{name}.arff.gz")
    columns = []
    for index, words in enumerate(attributes[:-1]):
        cells = [row[index] for row in rows]
        if words is None:
            numbers = np.array([np.nan if cell == "?" else float(cell) for cell in cells])
            if np.isnan(numbers).all():
                continue
            low, high = np.nanmin(numbers), np.nanmax(numbers)
            columns.append((numbers - low) / (high - low) if high > low else numbers * 0)
        else:
            columns.extend(np.array([cell == word for cell in cells], float) for word in words)
    arms = {word: arm for arm, word in enumerate(attributes[-1])}
    classes = np.array([arms[row[-1]] for row in rows])
    return Classified(name, np.column_stack(columns), classes, len(arms))


def _arff(path: Path):
    """The words of each attribute (`None` for a number) and the rows."""
    attributes, rows, reading = [], [], False
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        for line in map(str.strip, file):
            if not line or line.startswith("%"):
                continue
            if reading:
                rows.append(_cells(line))
            elif line.lower().startswith("@attribute"):
                brace = line.find("{")
                attributes.append(_cells(line[brace + 1 : line.rindex("}")]) if brace >= 0 else None)
            elif line.lower().startswith("@data"):
                reading = True
    return attributes, rows


def _cells(line: str) -> list[str]:
    """Cells between commas; a quoted one may hold commas."""
    cells, cell, quote = [], "", None
    for letter in line:
        if quote:
            quote, cell = (None, cell) if letter == quote else (quote, cell + letter)
        elif letter in "'\"":
            quote = letter
        elif letter == ",":
            cells.append(cell.strip())
            cell = ""
        else:
            cell += letter
    return [*cells, cell.strip()]
