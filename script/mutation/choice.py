"""Which of the possible changes are made, and what is known of some of them."""

import random
import re
from pathlib import Path

# Kinds take turns, so that the many statements that can be left out do not crowd out the rest.
TURNS = (
    "comparison",
    "left out",
    "bound",
    "counting",
    "early exit",
    "condition dropped",
    "left out",
    "bound",
    "condition",
    "logic",
    "comparison",
    "arithmetic",
    "truth",
    "swapped",
    "twin",
    "jump",
)


def folder_of(path, folders):
    return max((each for each in folders if path.startswith(each + "/")), key=len)


def shares(counts, wanted):
    """How many of wanted each gets, in proportion to its count; the largest remainders round up."""
    total = sum(counts.values())
    if total == 0:
        return {each: 0 for each in counts}
    exact = {each: wanted * count / total for each, count in counts.items()}
    result = {each: int(share) for each, share in exact.items()}
    by_rest = sorted(counts, key=lambda each: (result[each] - exact[each], each))
    for each in by_rest[: wanted - sum(result.values())]:
        result[each] += 1
    return result


def choose(changes, folders, wanted, seed, dropped=()):
    """Numbers of changes (a list of all), no two of which touch one another."""
    in_folder = {folder: {} for folder in folders}
    for number, change in changes.items():
        in_folder[folder_of(change.path, folders)].setdefault(change.kind, []).append(number)
    counts = {folder: sum(map(len, kinds.values())) for folder, kinds in in_folder.items()}
    chosen = []
    for folder, share in shares(counts, wanted).items():
        piles = in_folder[folder]
        for kind in sorted(piles):
            random.Random(f"{seed} {folder} {kind}").shuffle(piles[kind])
        taken, some = [], True
        while len(taken) < share and some:
            some = False
            for kind in TURNS:
                pile = piles.get(kind, [])
                while pile and len(taken) < share:
                    number = pile.pop()
                    if number not in dropped and not any(
                        touch(changes[number], changes[each]) for each in taken
                    ):
                        taken.append(number)
                        some = True
                        break
        chosen += taken
    return sorted(chosen)


def touch(one, two):
    return one.path == two.path and one.start < two.end and two.start < one.end


def equivalents(path):
    """Of a file of changes that cannot matter: why, by the change's key.

    A line at the margin is a key, as a survivor is listed, without its line's number; the indented
    lines after it say why.
    """
    known, key = {}, None
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            key = line.strip()
            known[key] = ""
        elif key is None:
            raise ValueError(f"{path}:{number}: a reason without a change above it")
        else:
            known[key] = (known[key] + " " + line.strip()).strip()
    for key, why in known.items():
        if not re.search(r"\w", why):
            raise ValueError(f"{path}: no reason for {key}")
    return known
