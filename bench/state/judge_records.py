"""What the records of a state directory say, beside what the other side saw.

    jackfield state export DIR --cdrs | python3 bench/state/judge_records.py [JOURNAL]

JOURNAL is of bench/state/counting_uas. Prints a figure a line, "name value"; those that are faults first,
with an example of each on standard error.
"""

import json
import sys


class Figures:
    def __init__(self):
        self.faults = {}
        self.counts = {}

    def fault(self, name, examples):
        self.faults[name] = len(examples)
        if examples:
            print(f"  {name}: {examples[0]}", file=sys.stderr)

    def show(self):
        for name, value in {**self.faults, **self.counts}.items():
            print(name, value)


def twice(values):
    seen, found = set(), []
    for value in values:
        if value in seen:
            found.append(value)
        seen.add(value)
    return found


def judge_export(records, figures):
    figures.fault("ids_twice", twice(r["id"] for r in records))
    figures.fault("calls_twice", twice(r["call_id"] for r in records))
    sequence = [r["seq"] for r in records]
    figures.fault("not_rising", [b for a, b in zip(sequence, sequence[1:]) if b <= a])
    figures.counts["records"] = len(records)
    for cause in ("completed", "engine_restart", "indeterminate"):
        figures.counts[cause] = sum(r["cause"] == cause for r in records)
    figures.counts["other"] = len(records) - sum(
        figures.counts[cause] for cause in ("completed", "engine_restart", "indeterminate")
    )


def judge_journal(records, journal, figures):
    calls, own = journal[:-1], journal[-1]
    kept = {r["call_id"]: r for r in records}
    arrived = {c["call_id"] for c in calls}
    figures.fault("invites_twice", [c for c in calls if c["invites"] > 1])
    figures.fault("invites_again", [c for c in calls if c["again_after_crash"]])
    figures.fault("attempts_twice", twice(c["attempt"] for c in calls))
    figures.fault("records_lost", [c for c in calls if c["call_id"] not in kept])
    figures.fault("left_up", [c for c in calls if c["left_up"]])
    # What was written, and then never left, is the one kind that the other side need not know.
    unseen = [r for r in records if r["call_id"] not in arrived]
    figures.fault("records_of_nothing", [r for r in unseen if r["cause"] != "indeterminate"])
    figures.fault("unrecorded", [s for s in own["strangers"] if s not in kept])
    figures.fault(
        "completed_without_bye",
        [
            c
            for c in calls
            if c["state"] != "ended" and kept.get(c["call_id"], {}).get("cause") == "completed"
        ],
    )
    figures.counts["attempts"] = len(calls)
    figures.counts["never_left"] = len(unseen)
    figures.counts["answered"] = sum(c["answered"] for c in calls)
    figures.counts["lost_requests"] = own["lost"]
    figures.counts["copies"] = sum(c["copies"] - 1 for c in calls)
    figures.counts["offers"] = sum(c["offers"] for c in calls)
    for state in ("ended", "cancelled", "refused", "unheard"):
        figures.counts[state] = sum(c["state"] == state for c in calls)


def main():
    figures = Figures()
    records = [json.loads(line) for line in sys.stdin]
    judge_export(records, figures)
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as lines:
            judge_journal(records, [json.loads(line) for line in lines], figures)
    figures.show()


if __name__ == "__main__":
    main()
