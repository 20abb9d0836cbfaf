"""Which calls heard a tone, by the lines that `jackfield load --hear --calls-file FILE` writes.

    python3 bench/state/judge_heard.py FILE HZ

Prints a figure a line: "heard", the calls that heard it for a second or more, and, if it came behind
another tone, "gap_s", the longest that one waited for it.
"""

import json
import sys

LEAST_MS = 1000


def waited_for(pieces, hz):
    """Milliseconds from the end of the tone before, 0 if there was none; None: it was not heard."""
    before = None
    for piece in pieces:
        if piece["what"] != "tone":
            continue
        if piece["hz"] == [hz] and piece["ms"] >= LEAST_MS:
            return 0 if before is None else piece["at_ms"] - before
        before = piece["at_ms"] + piece["ms"]
    return None


def main():
    hz = int(sys.argv[2])
    with open(sys.argv[1], encoding="utf-8") as lines:
        waits = [waited_for(json.loads(line).get("heard", []), hz) for line in lines]
    heard = [wait for wait in waits if wait is not None]
    print("heard", len(heard))
    if any(heard):
        print("gap_s", round(max(heard) / 1000, 2))


if __name__ == "__main__":
    main()
