"""Structure rules, checked like any other behaviour: import arrows, a pure engine, bounded files and functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# package -> packages it may import. A missing arrow is a failing test.
ARROWS: dict[str, set[str]] = {
    "engine": set(),
    "config": set(),
    "sql": {"engine"},
    "feeds": {"engine", "server", "config"},
    "server": {"engine", "sql", "config"},
    "handlers": {"engine", "server", "config"},
    "run": {"engine", "sql", "config", "feeds", "server", "handlers"},
}
NOT_SHIPPED = ("tests", "bench")  # may import everything; only their size is bounded

# engine/ may import these modules and nothing else from outside itself.
ENGINE_STDLIB = {
    "__future__",
    "array",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "operator",
    "typing",
    "msgspec",  # typed records only; no encoding or decoding here
}
ENGINE_BANNED_CALLS = {
    "open": "a port in server/",
    "print": "an event",
    "float": "integer units (see engine/units.py)",
    "hash": "engine/state_hash.py (str hashes differ between processes)",
    "id": "an explicit identifier",
}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70


class Source:
    """One file: its package, its path below the root, its text and its syntax tree."""

    def __init__(self, package: str, root: Path, path: Path) -> None:
        self.package = package
        self.where = path.relative_to(root)
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)


def sources(root: Path) -> Iterator[Source]:
    for package in (*ARROWS, *NOT_SHIPPED):
        base = root / package
        paths = sorted(base.rglob("*.py")) if base.is_dir() else [root / f"{package}.py"]
        for path in paths:
            if path.exists():
                yield Source(package, root, path)


def imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def import_problems(source: Source) -> Iterator[str]:
    if source.package in NOT_SHIPPED:
        return
    for line, module in imported_modules(source.tree):
        target = module.split(".")[0]
        if target in NOT_SHIPPED:
            yield f"{source.where}:{line}: what is shipped must not import {target}"
        if target in ARROWS and target != source.package and target not in ARROWS[source.package]:
            yield f"{source.where}:{line}: {source.package} must not import {target}"
        if source.package == "engine" and target not in ENGINE_STDLIB | {"engine"}:
            yield f"{source.where}:{line}: engine is pure, it must not import {module}"


def purity_problems(source: Source) -> Iterator[str]:
    if source.package != "engine":
        return
    for node in ast.walk(source.tree):
        where = f"{source.where}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"{where}: engine is synchronous, {node.name} is async"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{where}: float literal {node.value} in engine"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{where}: / makes a float, use a named rounding of engine/units.py"
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Set | ast.SetComp):
            yield f"{source.where}:{node.iter.lineno}: a set has no order to walk it in, use a dict"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ENGINE_BANNED_CALLS
        ):
            yield f"{where}: {node.func.id}() is banned, use {ENGINE_BANNED_CALLS[node.func.id]}"


def form_problems(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{source.where}:{node.lineno}: {node.name} has {length} lines"
    length = len(source.text.splitlines())
    if length > FILE_LINES_MAX:
        yield f"{source.where}: {length} lines, the limit is {FILE_LINES_MAX}"
    if source.where.stem in NAMELESS:
        yield f"{source.where}: a file is named for its one topic"
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield f"{source.where}: the first line must say what the file is for"


def problems(root: Path) -> list[str]:
    checks = (import_problems, purity_problems, form_problems)
    return [problem for source in sources(root) for check in checks for problem in check(source)]


def test_the_sources_keep_the_rules() -> None:
    assert problems(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("engine/a.py", "import server.clock", "engine must not import server"),
        ("engine/a.py", "import time", "engine is pure"),
        ("engine/a.py", "async def f() -> None: ...", "engine is synchronous"),
        ("engine/a.py", "x = 1.5", "float literal"),
        ("engine/a.py", "x = 3 / 2", "/ makes a float"),
        ("engine/a.py", "x = [y for y in {1, 2}]", "a set has no order"),
        ("engine/a.py", "x = hash('a')", "hash() is banned"),
        ("config/a.py", "from engine.units import CASH_SCALE", "config must not import engine"),
        ("server/a.py", "from handlers.orders import place", "server must not import handlers"),
        ("server/a.py", "import tests.conftest", "what is shipped must not import tests"),
        ("server/helpers.py", "x = 1", "named for its one topic"),
        ("server/a.py", "\n" * FILE_LINES_MAX + "x = 1", "401 lines"),
        ("server/a.py", "def f() -> None:\n" + "    x = 1\n" * FUNCTION_LINES_MAX, "f has 71 lines"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, file: str, text: str, complaint: str) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(f'"""A file."""{"" if text.startswith(chr(10)) else chr(10)}{text}')
    found = problems(tmp_path)
    assert any(complaint in problem for problem in found), found


def test_a_file_without_a_first_line_is_found(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server/a.py").write_text("x = 1\n")
    assert problems(tmp_path) == ["server/a.py: the first line must say what the file is for"]
