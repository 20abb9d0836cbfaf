"""A copy of the project in which the changes are, and its build."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def header():
    """mutation.hpp, which every changed source includes; no header here, where it has no place."""
    return (HERE / "mutation.hpp.in").read_bytes()


def files_of(root):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [
        name for name in sorted(set(listed.split("\0"))) if name and (Path(root) / name).is_file()
    ]


def put(path, content, mode=None):
    """Writes what differs: what is as it was is not built again."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if mode is not None:
        path.chmod(mode)


class Copy:
    def __init__(self, root, folder):
        self.root, self.folder = Path(root), Path(folder)
        self.build_folder = self.folder / "build"
        self.environment = dict(os.environ)
        if (
            "CCACHE_BASEDIR" not in os.environ
        ):  # copies elsewhere of the same sources are known again
            self.environment |= {"CCACHE_BASEDIR": str(self.folder), "CCACHE_NOHASHDIR": "1"}

    def lay_out(self, changed, test_folders, configure=False):
        """All files as they are, but for those of changed (contents by path); and what is added."""
        added = {"mutation.hpp": header()}
        for tests in test_folders:
            added[f"{tests}/mutation_recording.cpp"] = (HERE / "recording.cpp.in").read_bytes()
        lists = {}
        for path in changed:
            lists.setdefault(str(Path(path).parent / "CMakeLists.txt"), []).append(Path(path).name)
        names = files_of(self.root)
        for name in names:
            content = changed.get(name)
            if content is None:
                content = (self.root / name).read_bytes()
            if name in lists:  # what is changed may look odd to the compiler
                content += (
                    f"\nset_source_files_properties({' '.join(sorted(lists[name]))}"
                    " PROPERTIES COMPILE_OPTIONS -w)\n"
                ).encode()
            put(self.folder / name, content, (self.root / name).stat().st_mode & 0o777)
        for name, content in added.items():
            put(self.folder / name, content)
        data = self.root.parent / "shared"  # test data, which is looked for beside the project
        if (
            data.is_dir()
            and self.folder.is_relative_to(self.root)
            and not (self.folder.parent / "shared").exists()
        ):
            (self.folder.parent / "shared").symlink_to(data)
        laid = self.folder / "mutation.files"
        before = set(laid.read_text().splitlines()) if laid.is_file() else set()
        now = set(names) | set(added)
        for name in before - now:
            (self.folder / name).unlink(missing_ok=True)
        laid.write_text("\n".join(sorted(now)))
        if configure or not (self.build_folder / "build.ninja").is_file():
            self.run(["cmake", "--preset", "release", "-DJACKFIELD_BENCH=OFF"])
            self.run(["ninja", "--quiet", "-C", "build", "generated"])

    def run(self, command):
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{shlex.join(command)} in {self.folder} failed:\n{done.stdout[-4000:]}"
            )

    def arguments(self):
        """What each source is compiled with, by its path; read where it really lies."""
        commands = self.build_folder / "compile_commands.json"
        if not commands.is_file():
            return {}
        result = {}
        for each in json.loads(commands.read_text()):
            words, kept = shlex.split(each["command"]), []
            while words:
                word = words.pop(0)
                if word == f"-I{self.folder}":
                    kept.append(f"-I{self.root}")
                elif word == "-isystem":
                    kept += [word, words.pop(0)]
                elif word.startswith(("-I", "-D", "-std=")):
                    kept.append(word)
            result[os.path.relpath(each["file"], self.folder)] = kept
        return result

    def build(self, targets):
        """Builds; says what the compiler said if that failed, else nothing."""
        done = subprocess.run(
            ["ninja", "-k", "0", "-C", "build", *targets],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.stdout if done.returncode != 0 else ""


def blamed(said, chosen, changes):
    """The numbers of the changes that a compiler complains of: those on the lines of its errors; if
    there is none, those on any line that it names; else all of the sources that did not compile."""

    def at(places):
        found = set()
        for number in chosen:
            change = changes[number]
            last = change.line + change.lines - 1
            if any(
                path.endswith("/" + change.path) or path == change.path
                for path, line in places
                if change.line <= line <= last
            ):
                found.add(number)
        return found

    errors = re.findall(r"^(\S+?):(\d+):(?:\d+:)? (?:fatal )?error:", said, re.M)
    named = re.findall(r"(\S+\.cpp):(\d+):", said)
    for places in (errors, named):
        found = at([(path, int(line)) for path, line in places])
        if found:
            return found
    failed = re.findall(r"^FAILED: \S*?CMakeFiles/\S+?\.dir/(\S+)\.o", said, re.M)
    return {
        number
        for number in chosen
        if any(
            changes[number].path.endswith("/" + each) or changes[number].path == each
            for each in failed
        )
    }
