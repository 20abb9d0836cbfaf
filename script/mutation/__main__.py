"""script/mutate: which small changes of the code do its tests not notice?"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pickle
import random
import sys
import threading
import time
from pathlib import Path

import candidates
import choice
import copy_of_tree
import programs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EQUIVALENT = HERE / "equivalent.txt"
ROUNDS = 12  # of builds, each without the changes that the one before could not compile


def options():
    parser = argparse.ArgumentParser(
        prog="script/mutate",
        description="Makes small changes to the code of the folders, one at a time, in a copy, "
        "and reports those that the folder's tests do not notice.",
    )
    parser.add_argument(
        "folders", nargs="+", metavar="FOLDER", help="engine/sip, say; its tests are tests/sip"
    )
    parser.add_argument(
        "--changes",
        type=int,
        default=200,
        metavar="N",
        help="how many (200), spread over the folders",
    )
    parser.add_argument(
        "--seed", default=None, help="chooses the same ones again; without it others each time"
    )
    parser.add_argument(
        "--only", type=int, metavar="ID", help="this change alone, by its number in --list"
    )
    parser.add_argument(
        "--at-least",
        type=float,
        default=85,
        metavar="PERCENT",
        help="exit code 1 if fewer are noticed (85)",
    )
    parser.add_argument(
        "--list", action="store_true", help="says what would be changed, and changes nothing"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="test programs at a time")
    parser.add_argument(
        "--in",
        dest="copy",
        type=Path,
        default=ROOT / "build/mutate/main",
        metavar="FOLDER",
        help="where the copy is laid out and built (build/mutate/main)",
    )
    chosen = parser.parse_args()
    chosen.folders = sorted({str(Path(each)).rstrip("/") for each in chosen.folders})
    for folder in chosen.folders:
        if not (ROOT / folder).is_dir():
            parser.error(f"there is no folder {folder}")
        if not programs.tests_of(ROOT, folder):
            parser.error(f"no folder of tests/ is named after {folder}")
        if any(folder.startswith(other + "/") for other in chosen.folders):
            parser.error(f"{folder} is named twice, by itself and by what it is in")
    chosen.seed = chosen.seed or str(random.randrange(1_000_000))
    chosen.copy = chosen.copy.resolve()
    return chosen


def say(text):
    print(text, flush=True)


def find_one(task):
    """What a source offers. To read its headers takes seconds, so that is remembered as long as
    neither it nor how changes are found is another."""
    path, arguments, remembered = task
    made_of = [
        (ROOT / path).read_bytes(),
        Path(candidates.__file__).read_bytes(),
        repr((path, arguments)).encode(),
    ]
    known = remembered / hashlib.sha256(b"\0".join(made_of)).hexdigest()
    if known.is_file():
        return path, pickle.loads(known.read_bytes()), []
    changes, wrong = candidates.find(ROOT, path, arguments)
    if not wrong:
        remembered.mkdir(exist_ok=True)
        known.write_bytes(pickle.dumps(changes))
    return path, changes, wrong


def find_all(copy, folders, tests):
    """All changes that the folders offer, numbered from 1 in the order of their places."""
    sources = [
        name
        for name in copy_of_tree.files_of(ROOT)
        if name.endswith(".cpp") and any(name.startswith(folder + "/") for folder in folders)
    ]
    arguments = copy.arguments()
    if any(name not in arguments for name in sources):
        copy.lay_out({}, tests, configure=True)
        arguments = copy.arguments()
    found, number = {}, 0
    with concurrent.futures.ProcessPoolExecutor() as pool:
        tasks = [
            (name, arguments[name], copy.build_folder / "changes")
            for name in sources
            if name in arguments
        ]
        for path, changes, wrong in pool.map(find_one, tasks):
            if wrong:
                say(f"script/mutate: clang does not understand all of {path}: {wrong[0]}")
            for change in changes:
                number += 1
                found[number] = change
    return found


def line_of(number, change, more=""):
    return f"{change.path}:{change.line}: {change.function}: {change.what}{more}  [{number}]"


def build(copy, changes, select, tests, targets):
    """Lays out and builds what select chooses, and others in the place of what does not compile."""
    remembered = copy.build_folder / "changes.not_compiling"
    bad = set(remembered.read_text().splitlines()) if remembered.is_file() else set()
    dropped = {number for number, change in changes.items() if change.key in bad}
    for _ in range(ROUNDS):
        chosen = select(dropped)
        if not chosen:
            raise RuntimeError("no change that compiles is left")
        by_path = collections.defaultdict(list)
        for number in chosen:
            by_path[changes[number].path].append((number, changes[number]))
        copy.lay_out(
            {
                path: candidates.rewrite((ROOT / path).read_bytes(), some)
                for path, some in by_path.items()
            },
            tests,
        )
        said = copy.build(targets)
        if not said:
            return chosen
        guilty = copy_of_tree.blamed(said, chosen, changes)
        if not guilty:
            raise RuntimeError(
                f"the copy in {copy.folder} does not build, and not for a change:\n{said[-4000:]}"
            )
        for number in sorted(guilty):
            say("does not compile, left out: " + line_of(number, changes[number]))
        dropped |= guilty
        bad |= {changes[number].key for number in guilty}
        remembered.write_text("\n".join(sorted(bad)))
    raise RuntimeError(f"changes that do not compile remain after {ROUNDS} builds")


def judge(chosen, changes, judges, jobs):
    """What notices each change, by its number: '' if nothing does, None if no test reaches it."""
    result, lock, done = {}, threading.Lock(), 0

    def one(number):
        nonlocal done
        if not any(number in program.reach for program in judges[number]):
            noticed = None
        else:
            noticed = ""
            for program in sorted(judges[number], key=lambda each: sum(each.durations.values())):
                found = program.notices(number)
                if found:
                    noticed = f"{program.name}: {found}"
                    break
        with lock:
            done += 1
            result[number] = noticed
            say(f"{done}/{len(chosen)} {verdict(noticed)}: " + line_of(number, changes[number]))

    def cost(number):  # the long ones first
        return -sum(
            program.durations[test]
            for program in judges[number]
            for test in program.reach.get(number, [])
        )

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(one, number) for number in sorted(chosen, key=cost)]:
            future.result()
    return result


def verdict(noticed):
    return "not reached" if noticed is None else f"noticed by {noticed}" if noticed else "SURVIVED"


def report(chosen, changes, result, judges, known, folders, at_least):
    """Survivors and counts; says whether the share is reached."""
    marked = {number for number in chosen if changes[number].key in known}
    for number in sorted(marked):
        change = changes[number]
        if result[number]:
            say(
                f"said to be equivalent, but noticed ({result[number]}): " + line_of(number, change)
            )
        else:
            say("equivalent: " + line_of(number, change) + f"\n    {known[change.key]}")
    counted = [number for number in chosen if number not in marked]
    for number in counted:
        if result[number] == "":
            tests = sum(len(program.reach.get(number, [])) for program in judges[number])
            say("survived: " + line_of(number, changes[number], f", reached by {tests} tests"))
    for number in counted:
        if result[number] is None:
            say("not reached: " + line_of(number, changes[number]))

    say(
        f"\n{'folder':<24} {'changes':>8} {'noticed':>8} {'survived':>9} {'not reached':>12}"
        f" {'share':>7}"
    )
    share = 100.0
    for folder in [*folders, ""]:
        here = [
            result[n]
            for n in counted
            if not folder or choice.folder_of(changes[n].path, folders) == folder
        ]
        noticed, unreached = sum(1 for each in here if each), here.count(None)
        share = 100.0 * noticed / len(here) if here else 100.0
        say(
            f"{folder or 'all':<24} {len(here):>8} {noticed:>8} {here.count(''):>9} {unreached:>12}"
            f" {share:>6.1f}%"
        )
    if marked:
        say(f"not counted: {len(marked)} marked as equivalent")
    return share >= at_least


def main():
    chosen_options = options()
    folders = chosen_options.folders
    known = choice.equivalents(EQUIVALENT)
    test_folders = {folder: programs.tests_of(ROOT, folder) for folder in folders}
    tests = sorted({each for some in test_folders.values() for each in some})
    copy = copy_of_tree.Copy(ROOT, chosen_options.copy)
    began = time.monotonic()
    changes = find_all(copy, folders, tests)
    say(f"{len(changes)} possible changes in {' '.join(folders)}; seed {chosen_options.seed}")

    def select(dropped):
        if chosen_options.only is not None:
            return [] if chosen_options.only in dropped else [chosen_options.only]
        return choice.choose(changes, folders, chosen_options.changes, chosen_options.seed, dropped)

    if chosen_options.only is not None and chosen_options.only not in changes:
        say(f"script/mutate: there is no change {chosen_options.only}")
        return 2
    if chosen_options.list:
        for number in select(set()):
            say(line_of(number, changes[number]))
        return 0

    by_tests = {
        each: programs.Program(copy.folder, each, programs.program_of(ROOT, each)) for each in tests
    }
    chosen = build(copy, changes, select, tests, [each.name for each in by_tests.values()])
    say(f"built with {len(chosen)} changes, all off ({time.monotonic() - began:.0f} s)")
    for program in by_tests.values():
        failed = program.observe()
        if failed:
            say(f"script/mutate: {program.name} fails with no change on: {failed}")
            return 2
        say(
            f"{program.name}: {len(program.durations)} tests pass in"
            f" {sum(program.durations.values()):.0f} s with no change on"
        )
    judges = {
        number: [
            by_tests[each] for each in test_folders[choice.folder_of(changes[number].path, folders)]
        ]
        for number in chosen
    }
    result = judge(chosen, changes, judges, chosen_options.jobs)
    say("")
    good = report(chosen, changes, result, judges, known, folders, chosen_options.at_least)
    say(f"seed {chosen_options.seed}, {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as wrong:
        print(f"script/mutate: {wrong}", file=sys.stderr)
        sys.exit(2)
