"""The tests' programs of a folder, run with a change on."""

import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

FILTER = 100_000  # bytes that a command line takes for one word, and some room


def tests_of(root, folder):
    """The folders of tests that judge a folder: of its name, and of those of the folders in it."""
    found = []
    below = sorted(each.name for each in (Path(root) / folder).iterdir() if each.is_dir())
    for name in [Path(folder).name, *below]:
        tests = f"tests/{name}"
        if (Path(root) / tests / "CMakeLists.txt").is_file() and program_of(root, tests):
            found.append(tests)
    return found


def program_of(root, tests):
    match = re.search(
        r"\bjackfield_test\(\s*(\w+)", (Path(root) / tests / "CMakeLists.txt").read_text()
    )
    return match.group(1) if match else None


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(
        resource.RLIMIT_AS, (16 << 30, 16 << 30)
    )  # what asks for ever more memory fails alone


@dataclass
class Run:
    passed: bool
    why: str = ""  # it did not
    seconds: float = 0


@dataclass
class Program:
    folder: Path  # the copy's
    tests: str
    name: str
    durations: dict = field(default_factory=dict)  # seconds, by test
    reach: dict = field(default_factory=dict)  # tests, by the number of a change
    overhead: float = 0

    def run(self, tests=None, without=None, change=0, limit=None, record=None):
        """All tests, or these, or all without these."""
        command = [str(self.folder / "build" / self.tests / self.name), "--gtest_brief=1"]
        if tests is not None:
            command.append("--gtest_filter=" + self.filter(tests))
        elif without:
            command.append("--gtest_filter=-" + self.filter(without))
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GTEST_")
        }
        if change:
            environment |= {"JACKFIELD_MUTATION": str(change), "GTEST_FAIL_FAST": "1"}
        if record:
            environment["JACKFIELD_MUTATION_RECORD"] = str(record)
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=limits,
            )
            try:
                code, why = process.wait(timeout=limit), ""
            except subprocess.TimeoutExpired:
                code, why = 1, f"hung (more than {limit:.0f} s)"
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)  # what it started and left
                except ProcessLookupError:
                    pass
                process.wait()
            output.seek(0)
            said = output.read(4_000_000).decode(errors="replace")
        if code != 0 and not why:
            failed = re.findall(r"^\[  FAILED  \] (\S+?),? (?:\(|where)", said, re.M)
            why = ", ".join(dict.fromkeys(failed)) or (
                f"died of signal {-code}" if code < 0 else f"exit code {code}"
            )
        return Run(code == 0, why, time.monotonic() - began)

    def filter(self, tests):
        """Of a suite that is meant whole only the name, and of all suites if it grows too long."""
        whole, chosen = {}, {}
        for test in self.durations:
            whole.setdefault(suite(test), set()).add(test)
        for test in tests:
            chosen.setdefault(suite(test), set()).add(test)
        parts = []
        for name, some in chosen.items():
            parts += [f"{name}.*"] if some == whole.get(name) else sorted(some)
        text = ":".join(parts)
        return text if len(text) < FILTER else ":".join(f"{name}.*" for name in chosen)

    def observe(self):
        """Runs all tests with no change on; notes what each reaches. Says which failed."""
        with tempfile.NamedTemporaryFile() as record:
            done = self.run(record=record.name)
            for line in Path(record.name).read_text().splitlines():
                test, milliseconds, *numbers = line.split()
                self.durations[test] = int(milliseconds) / 1000
                for number in map(int, numbers):
                    self.reach.setdefault(number, []).append(test)
        self.overhead = max(0.0, done.seconds - sum(self.durations.values()))
        return "" if done.passed else done.why

    def limit_for(self, tests):
        return 10 + 8 * (self.overhead + sum(self.durations[test] for test in tests))

    def notices(self, change):
        """Which test fails with the change on; nothing if all pass. First those that reach it, then
        the others: what one test makes and keeps for others, these need not reach themselves."""
        reaching = self.reach.get(change, [])
        if not reaching:
            return ""
        done = self.run(tests=reaching, change=change, limit=self.limit_for(reaching))
        others = [test for test in self.durations if test not in set(reaching)]
        if done.passed and others:
            done = self.run(without=reaching, change=change, limit=self.limit_for(others))
        return "" if done.passed else done.why


def suite(test):
    return test.rsplit(".", 1)[0]
