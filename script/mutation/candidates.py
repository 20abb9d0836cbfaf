"""Finds the places of a C++ source that can be changed, and how, in its syntax tree.

A place is an extent of bytes; a change of it is what is put before and after these bytes, so that
the code asks at run time whether the change is on, and is what it was while it is not.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from clang import cindex

FUNCTIONS = {
    "FUNCTION_DECL",
    "CXX_METHOD",
    "CONSTRUCTOR",
    "DESTRUCTOR",
    "FUNCTION_TEMPLATE",
    "CONVERSION_FUNCTION",
}
CALLABLE = {"FUNCTION_DECL", "CXX_METHOD", "FUNCTION_TEMPLATE"}
# What has to be constant, or is never evaluated.
UNEVALUATED = {
    "STATIC_ASSERT",
    "SIZE_OF_PACK_EXPR",
    "CXX_UNARY_EXPR",
    "CXX_NOEXCEPT_EXPR",
    "TYPE_REF",
    "TEMPLATE_REF",
    "DECL_REF_EXPR",
    "CONCEPT_SPECIALIZATION_EXPR",
    "REQUIRES_EXPR",
}
# What is said to people and to logs: no test should pin it down.
WORDING = re.compile(r"^(describe\w*|operator<<)$")

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&", "and": "||", "or": "&&"}
ARITHMETIC = {"+": "-", "-": "+"}
TWINS = {
    "max": "min",
    "min": "max",
    "ceil": "floor",
    "floor": "ceil",
    "front": "back",
    "back": "front",
    "lower_bound": "upper_bound",
    "upper_bound": "lower_bound",
}
# Of which the arguments may as well stand the other way round, or, of clamp, must not.
NOT_SWAPPED = ("max", "min", "swap", "equal", "iequals", "clamp")
JUMPS = ("RETURN_STMT", "BREAK_STMT", "CONTINUE_STMT", "CXX_THROW_EXPR")

ON = "jackfield_mutation::on(@)"
LONGEST = 400  # bytes of a place: a longer one is no small change
NUMBERS = re.compile(
    r"^(u?int(\d+_t)?|bool|char|short|long|float|double|size_t|unsigned|signed|__int128|\s)+$"
)
LITERAL = re.compile(r"^[0-9][0-9a-fA-Fx'.]*(ms|us|ns|s|min|h|[uUlLzZfF]*)$")


@dataclass(frozen=True)
class Change:
    """One change of one place. Its name, `key`, does not depend on where in the file it is."""

    path: str
    start: int
    end: int
    line: int
    lines: int
    function: str
    kind: str
    what: str
    before: str  # @ is where the change's number goes
    after: str

    @property
    def key(self):
        return f"{self.path}: {self.function}: {self.what}"


def is_number(type_):
    canonical = type_.get_canonical().spelling.replace("const ", "")
    return bool(NUMBERS.match(canonical))


def is_time(type_):
    canonical = type_.get_canonical().spelling
    return "chrono::duration<" in canonical or "chrono::time_point<" in canonical


class Finder:
    def __init__(self, path, source):
        self.path, self.source = path, source
        self.function = ""
        self.found = {}
        self.ends_of_switches = set()  # where a break changes nothing

    def text(self, start, end):
        return self.source[start:end].decode(errors="replace")

    def text_of(self, node):
        return self.text(node.extent.start.offset, node.extent.end.offset)

    def before(self, offset):
        """The text before a place, on which it depends what the place is."""
        return self.text(max(0, offset - 80), offset).rstrip()

    def add(self, start, end, kind, said, before, after):
        text = self.text(start, end)
        if not 0 < end - start <= LONGEST or "//" in text or "/*" in text or 'R"' in text:
            return
        shown = " ".join(text.split())
        shown = shown if len(shown) <= 120 else shown[:117] + "..."
        change = Change(
            self.path,
            start,
            end,
            self.source.count(b"\n", 0, start) + 1,
            text.count("\n") + 1,
            self.function,
            kind,
            f"{said}: `{shown}`",
            before,
            after,
        )
        self.found.setdefault((start, end, said), change)

    def instead(self, node_extent, kind, said, other):
        """Another expression instead of this one; first, on one line: lines stay as they are."""
        self.add(*node_extent, kind, said, f"({ON} ? ({' '.join(other.split())}) : (", "))")

    # What a node is changed to, by what it is.

    def operator(self, node, children):
        lhs, rhs = children[0].extent, children[-1].extent
        start, end = lhs.start.offset, rhs.end.offset
        if (
            lhs.end.offset >= rhs.start.offset
            or node.extent.start.offset != start
            or node.extent.end.offset != end
        ):
            return
        sign = self.text(lhs.end.offset, rhs.start.offset).strip()
        left, right = self.text_of(children[0]), self.text_of(children[-1])
        if sign in COMPARISONS:
            other = COMPARISONS[sign]
            self.instead(
                (start, end), "comparison", f"`{sign}` to `{other}`", f"{left} {other} {right}"
            )
        elif sign in LOGIC:
            other = LOGIC[sign]
            self.instead(
                (start, end), "logic", f"`{sign}` to `{other}`", f"({left}) {other} ({right})"
            )
            self.instead(
                (start, end),
                "condition dropped",
                f"without what follows `{sign}`",
                f"static_cast<bool>({left})",
            )
            self.instead(
                (start, end),
                "condition dropped",
                f"without what precedes `{sign}`",
                f"static_cast<bool>({right})",
            )
        elif sign in ARITHMETIC and (is_number(node.type) or is_time(node.type)):
            other = ARITHMETIC[sign]
            self.instead(
                (start, end), "arithmetic", f"`{sign}` to `{other}`", f"{left} {other} ({right})"
            )

    def call(self, node):
        name, whole = node.spelling, self.text_of(node)
        extent = node.extent.start.offset, node.extent.end.offset
        if (
            not whole.endswith(")")
            or not node.referenced
            or node.referenced.kind.name not in CALLABLE
        ):
            return
        if name in TWINS and not name.startswith("operator"):
            other, count = re.subn(rf"\b{name}(?=\s*(<[\w:]+>)?\()", TWINS[name], whole, count=1)
            # The name that is exchanged has to be this call's, not one in its arguments.
            if count and whole.find("(") >= other.find(TWINS[name]):
                self.instead(extent, "twin", f"`{name}` to `{TWINS[name]}`", other)
            elif count and whole.endswith(f"{name}()"):
                self.instead(
                    extent,
                    "twin",
                    f"`{name}` to `{TWINS[name]}`",
                    whole[: -len(name) - 2] + TWINS[name] + "()",
                )
        if name.startswith("operator") or name in NOT_SWAPPED:
            return
        arguments = list(node.get_arguments())
        for one, two in zip(arguments, arguments[1:]):
            a, b = self.text_of(one), self.text_of(two)
            apart = self.text(one.extent.end.offset, two.extent.start.offset).strip()
            if (
                apart != ","
                or a == b
                or a.startswith('"') and b.startswith('"')  # an error's wording
                or any(re.search(r"\b(begin|end|data)\(\)", each) for each in (a, b))
            ):
                continue
            if one.type.get_canonical().spelling.replace(
                "const ", ""
            ) != two.type.get_canonical().spelling.replace("const ", ""):
                continue
            other = (
                self.text(extent[0], one.extent.start.offset)
                + b
                + ", "
                + a
                + self.text(two.extent.end.offset, extent[1])
            )
            self.instead(extent, "swapped", f"arguments `{a}` and `{b}` swapped", other)

    def may_vary(self, start):
        """No index, no template's argument (`get<0>`, not `a < 0`)."""
        return not self.before(start).endswith("[") and self.source[start - 1 : start] != b"<"

    def literal(self, node):
        text = self.text_of(node)
        extent = node.extent.start.offset, node.extent.end.offset
        if not LITERAL.match(text) or not self.may_vary(extent[0]):
            return
        self.instead(extent, "bound", "larger", f"jackfield_mutation::larger({text})")
        if text.isdigit() and int(text) >= 14:
            self.instead(extent, "bound", "one more", f"{text} + 1")

    def named_bound(self, node):
        variable = node.referenced
        if (
            not variable
            or variable.kind.name != "VAR_DECL"
            or not variable.type.is_const_qualified()
        ):
            return
        if "constexpr" not in [token.spelling for token in list(variable.get_tokens())[:4]]:
            return
        extent = node.extent.start.offset, node.extent.end.offset
        numbers = is_number(variable.type) and "bool" not in variable.type.spelling
        times = "chrono::duration<" in variable.type.get_canonical().spelling
        if (numbers or times) and self.may_vary(extent[0]):
            self.instead(
                extent, "bound", "larger", f"jackfield_mutation::larger({self.text_of(node)})"
            )

    def condition(self, node):
        """Of an if: its body never runs if that only leaves early, else it is turned round."""
        children = list(node.get_children())
        bodies = [i for i, child in enumerate(children) if self.is_body(child)]
        if (
            not bodies
            or bodies[0] == 0
            or "constexpr" in self.text(node.extent.start.offset, children[0].extent.start.offset)
        ):
            return
        test, body = children[bodies[0] - 1], children[bodies[0]]
        if test.kind.name in ("DECL_STMT", "VAR_DECL") or self.before(test.extent.start.offset)[
            -1:
        ] not in ("(", ";"):
            return
        extent = test.extent.start.offset, test.extent.end.offset
        inner = body
        if body.kind.name == "COMPOUND_STMT":
            inner = (list(body.get_children()) or [body])[-1]
        if inner.kind.name in JUMPS and len(bodies) == 1:
            self.add(*extent, "early exit", "never leaves here", f"(!{ON} && (", "))")
        else:
            self.add(*extent, "condition", "turned round", f"({ON} != static_cast<bool>(", "))")

    def is_body(self, node):
        after_head = self.before(node.extent.start.offset).endswith((")", "else", "do"))
        return after_head and (node.kind.is_statement() or self.follows(node) is not None)

    def follows(self, node):
        """Where the statement ends that this expression is, after its semicolon."""
        end = node.extent.end.offset
        rest = re.match(rb"\s*;", self.source[end : end + 80])
        return end + rest.end() if rest else None

    def statement(self, node):
        """A statement that is left out."""
        end = self.follows(node)
        if end is None:
            return
        start, text = node.extent.start.offset, self.text_of(node)
        kind = node.kind.name
        while kind == "UNEXPOSED_EXPR":
            inner = list(node.get_children())
            if len(inner) != 1:
                return
            node = inner[0]
            kind = node.kind.name
        if kind == "BREAK_STMT" and end in self.ends_of_switches:
            return
        if kind in ("BREAK_STMT", "CONTINUE_STMT"):
            # One break looks like another: which it is, is told by what it follows.
            parts = re.split(r"[\n{};]", self.text(max(0, start - 300), start))
            after = " ".join([each for each in parts if each.strip()][-1:]).strip()
            self.add(start, end, "jump", f"left out after `{after}`", f"{{ if (!{ON}) {{ ", " } }")
        elif kind in (
            "CALL_EXPR",
            "COMPOUND_ASSIGNMENT_OPERATOR",
            "BINARY_OPERATOR",
            "UNARY_OPERATOR",
        ):
            counts = text.startswith(("++", "--")) or kind == "COMPOUND_ASSIGNMENT_OPERATOR"
            self.add(
                start,
                end,
                "counting" if counts else "left out",
                "left out",
                f"{{ if (!{ON}) {{ ",
                " } }",
            )

    # The walk.

    def body(self, node):
        kind = node.kind.name
        if kind in UNEVALUATED:
            if kind == "DECL_REF_EXPR":
                self.named_bound(node)
            return
        extent = node.extent.start.offset, node.extent.end.offset
        children = list(node.get_children())
        if kind == "VAR_DECL":
            if (
                "constexpr" in self.text(extent[0], node.location.offset).split()
                or "constexpr" in self.before(extent[0]).split("\n")[-1]
            ):
                return
            # Before the name is its type, whose arguments have to be constant.
            children = [
                child for child in children if child.extent.start.offset > node.location.offset
            ]
        elif kind == "SWITCH_STMT":
            inside = self.source[: extent[1] - 1].rstrip()
            self.ends_of_switches.add(len(inside))
        elif kind == "CASE_STMT":
            children = children[1:]
        elif (
            kind == "DECL_STMT"
            and "constexpr" in self.text_of(node).split("=")[0].split("{")[0].split()
        ):
            return
        elif kind == "IF_STMT":
            self.condition(node)
            if re.match(r"if\s+constexpr", self.text_of(node)):
                children = [child for child in children if self.is_body(child)]
        elif kind in ("INTEGER_LITERAL", "FLOATING_LITERAL"):
            self.literal(node)
        elif kind == "CXX_BOOL_LITERAL_EXPR":
            text = self.text_of(node)
            if text in ("true", "false"):
                other = "false" if text == "true" else "true"
                self.instead(extent, "truth", f"`{text}` to `{other}`", other)
        elif kind == "CONDITIONAL_OPERATOR" and len(children) == 3:
            test = children[0].extent.start.offset, children[0].extent.end.offset
            apart = self.text(test[1], children[1].extent.start.offset).strip()
            if test[0] == extent[0] and apart == "?":  # else it is in a macro, as assert is
                self.add(*test, "condition", "turned round", f"({ON} != static_cast<bool>(", "))")
        elif kind == "UNARY_OPERATOR" and len(children) == 1:
            text, operand = self.text_of(node), self.text_of(children[0])
            if text.startswith("!") and text[1:].strip() == operand:
                self.instead(extent, "logic", "without `!`", f"static_cast<bool>({operand})")
            elif text.startswith("-") and text[1:].strip() == operand and is_number(node.type):
                self.instead(extent, "arithmetic", "without `-`", operand)
        elif kind == "CALL_EXPR":
            if LITERAL.match(self.text_of(node)):  # 20ms
                self.literal(node)
                return
            self.call(node)
        if kind in ("BINARY_OPERATOR", "CALL_EXPR", "UNEXPOSED_EXPR") and len(children) >= 2:
            self.operator(node, children)
        if kind == "COMPOUND_STMT":
            for child in children:
                self.statement(child)
        elif kind in ("CASE_STMT", "DEFAULT_STMT") and children:
            self.statement(children[-1])
        elif kind in ("IF_STMT", "FOR_STMT", "WHILE_STMT", "CXX_FOR_RANGE_STMT"):
            for child in children:
                if self.is_body(child):
                    self.statement(child)
        for child in children:
            self.body(child)

    def declarations(self, node):
        for child in node.get_children():
            kind = child.kind.name
            if kind in (
                "NAMESPACE",
                "CLASS_DECL",
                "STRUCT_DECL",
                "CLASS_TEMPLATE",
                "LINKAGE_SPEC",
                "UNEXPOSED_DECL",
            ):
                if child.location.file and child.location.file.name == self.name:
                    self.declarations(child)
            elif (
                kind in FUNCTIONS and child.location.file and child.location.file.name == self.name
            ):
                self.of_function(child)

    def of_function(self, node):
        parts = list(node.get_children())
        if not parts or parts[-1].kind.name != "COMPOUND_STMT" or WORDING.match(node.spelling):
            return
        head = self.text(node.extent.start.offset, node.location.offset)
        if re.search(r"\b(constexpr|consteval)\b", head):
            return
        owner = node.semantic_parent
        outside = (
            owner is None
            or owner.kind.name in ("NAMESPACE", "TRANSLATION_UNIT")
            or not owner.spelling
        )
        self.function = node.spelling if outside else f"{owner.spelling}::{node.spelling}"
        self.body(parts[-1])
        for part in parts[:-1]:  # a constructor's members
            if (
                node.kind.name == "CONSTRUCTOR"
                and part.kind.is_expression()
                and part.extent.start.offset > node.location.offset
            ):
                self.body(part)


def find(root, path, arguments):
    """The changes that path, a source below root, offers; what clang cannot read of it."""
    name = str(Path(root) / path)
    source = Path(name).read_bytes()
    unit = cindex.Index.create().parse(name, args=arguments)
    wrong = [str(each) for each in unit.diagnostics if each.severity >= cindex.Diagnostic.Error]
    finder = Finder(path, source)
    finder.name = name
    finder.declarations(unit.cursor)
    changes, seen = [], Counter()
    for each in sorted(finder.found.values(), key=lambda each: (each.start, each.end, each.what)):
        seen[each.key] += 1
        if seen[each.key] > 1:  # the same words twice in a function
            each = replace(each, what=f"{each.what} (no. {seen[each.key]})")
        changes.append(each)
    return changes, wrong


def rewrite(source, changes):
    """The source with these changes, pairs of a number and a change, in it, off."""
    for number, change in sorted(changes, key=lambda each: -each[1].start):
        before, after = change.before.replace("@", str(number)), change.after
        source = (
            source[: change.start]
            + before.encode()
            + source[change.start : change.end]
            + after.encode()
            + source[change.end :]
        )
    return b'#include "mutation.hpp"\n#line 1\n' + source
