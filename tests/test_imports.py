"""Imports go down the drawing in docs/ARCHITECTURE.md, and the web process stays light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOOSE = {"tests", "bench", "migrations"}
"""They may import anything; nothing of ours may import them."""

_GROUND = {"records", "points", "boxes", "errors", "messages"}
_ENGINE = {"pipeline", "model", "video", "deep_sort"}

ALLOWED: Mapping[str, set[str]] = {
    "messages": set(),
    "config": set(),
    "records": set(),
    "errors": {"messages"},
    "boxes": {"records"},
    "points": {"records"},
    "deep_sort": set(),
    "model": _GROUND,
    "video": _GROUND,
    "store": _GROUND,
    "pipeline": _GROUND | {"deep_sort", "model", "video"},
    "synth": _GROUND | {"video", "reid"},
    "reid": _GROUND | {"model"},
    "search": _GROUND | {"config", "model", "reid", "store"},
    "web": _GROUND | {"config", "store", "search", "video.probe"},
    "worker": _GROUND | _ENGINE | {"config", "store", "search", "reid"},
    "tasks": {"config", "errors", "store", "worker"},
    "supervise": {"config", "tasks"},
    "predict": _GROUND | _ENGINE | {"config"},
    **{name: {"reid"} for name in ("train_elem", "train_pair", "eval", "infer", "reid_standalone")},
    "export_model": {"model", "reid"},
    "demo": {"config", "supervise", "synth"},
    "app": {"config", "store", "supervise", "tasks", "web"},
}
"""What each room or file may import besides itself; a dotted name lets in that module alone."""


@dataclass(frozen=True)
class Import:
    """One import of ours: ``importer`` names ``imported`` in ``line``, on loading or only when called."""

    importer: str
    imported: str
    line: int
    is_on_loading: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def our_files(root: Path) -> list[Path]:
    """Return the product's files: those at the top, and those of its packages."""
    packages = [folder for folder in root.iterdir() if (folder / "__init__.py").exists() and folder.name not in LOOSE]
    return sorted([*root.glob("*.py"), *(path for folder in packages for path in folder.rglob("*.py"))])


def read_imports(root: Path) -> list[Import]:
    """Return all imports of our own modules, also those inside functions."""
    files = our_files(root)
    names = {module_name(path, root) for path in files}
    rooms = {name.partition(".")[0] for name in names} | LOOSE
    found: list[Import] = []
    for path in files:
        tree = ast.parse(path.read_text("utf-8"))
        late = {id(inner) for node in ast.walk(tree) if _is_late(node) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            found += [
                Import(module_name(path, root), imported, getattr(node, "lineno", 0), id(node) not in late)
                for imported in _imported(node, module_name(path, root), names)
                if imported.partition(".")[0] in rooms
            ]
    return found


def _is_late(node: ast.AST) -> bool:
    is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    return is_for_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _imported(node: ast.AST, importer: str, names: set[str]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        base = ".".join([*importer.split(".")[: -node.level], *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" if f"{base}.{alias.name}" in names else base for alias in node.names]


def upward(imports: Iterable[Import], allowed: Mapping[str, set[str]]) -> list[str]:
    """Return the imports that the drawing does not have."""
    wrong = []
    for edge in imports:
        room, target = edge.importer.partition(".")[0], edge.imported.partition(".")[0]
        if room not in allowed:
            wrong.append(f"{edge}, but {room} has no place in the drawing")
        elif target != room and not {target, edge.imported} & allowed[room]:
            wrong.append(f"{edge}, which {room} may not")
    return wrong


def cycles(imports: Iterable[Import]) -> list[str]:
    """Return the circles of modules that import each other on loading."""
    graph: dict[str, set[str]] = {}
    for edge in imports:
        if edge.is_on_loading and edge.imported != edge.importer:
            graph.setdefault(edge.importer, set()).add(edge.imported)
    found: list[str] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def test_imports_go_down_only() -> None:
    imports = read_imports(ROOT)
    assert len(imports) > 100
    assert upward(imports, ALLOWED) == []


def test_no_modules_import_each_other() -> None:
    assert cycles(read_imports(ROOT)) == []


def test_the_drawing_itself_has_no_circle() -> None:
    edges = [Import(room, target.partition(".")[0], 0, True) for room, targets in ALLOWED.items() for target in targets]
    assert cycles(edges) == []


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("store/rows.py", "import web.pages", "store.rows:1 imports web.pages, which store may not"),
        ("store/rows.py", "def f():\n    from pipeline import run", "store.rows:2 imports pipeline.run, which store may not"),
        ("deep_sort/a.py", "from records import Kind", "deep_sort.a:1 imports records, which deep_sort may not"),
        ("web/a.py", "from video.decode import x", "web.a:1 imports video.decode, which web may not"),
        ("web/a.py", "from video import decode", "web.a:1 imports video.decode, which web may not"),
        ("model/a.py", "from ..bench import x", "model.a:1 imports bench, which model may not"),
        ("model/a.py", "import tests.conftest", "model.a:1 imports tests.conftest, which model may not"),
        ("extra.py", "import config", "extra:1 imports config, but extra has no place in the drawing"),
    ],
)  # fmt: skip
def test_the_check_names_an_upward_edge(tmp_path: Path, path: str, text: str, found: str) -> None:
    _make_house(tmp_path)
    (tmp_path / path).write_text(text)
    assert upward(read_imports(tmp_path), ALLOWED) == [found]


def test_the_check_lets_downward_edges_pass(tmp_path: Path) -> None:
    _make_house(tmp_path)
    (tmp_path / "web/a.py").write_text("import json\nfrom store import rows\nfrom . import pages\nimport video.probe\n")
    imports = read_imports(tmp_path)
    assert upward(imports, ALLOWED) == cycles(imports) == []
    assert len(imports) == 3


def test_the_check_names_a_circle(tmp_path: Path) -> None:
    _make_house(tmp_path)
    (tmp_path / "web/a.py").write_text("from web import pages\n")
    (tmp_path / "web/pages.py").write_text("from web import b\n")
    (tmp_path / "web/b.py").write_text("import web.a\n")
    assert cycles(read_imports(tmp_path)) == ["web.a -> web.pages -> web.b -> web.a"]
    (tmp_path / "web/b.py").write_text("def late():\n    import web.a\n")
    assert cycles(read_imports(tmp_path)) == []


def _make_house(root: Path) -> None:
    for name in ("store/rows", "web/pages", "video/probe", "video/decode", "pipeline/run", "deep_sort/a", "model/a"):
        path = root / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        (path.parent / "__init__.py").write_text("")
    for name in ("config", "records"):
        (root / f"{name}.py").write_text("")


def test_the_web_process_loads_no_networks_and_no_opencv(tmp_path: Path) -> None:
    code = """
import sys
from app import migrate_database, wsgi
from config import Settings
migrate_database(Settings.from_env())
client = wsgi().test_client()
for address in ("/videos", "/search", "/search/models", "/cameras", "/jobs", "/api", "/api/v1/videos", "/api/v1/health", "/api/v1/openapi.json"):
    assert client.get(address).status_code == 200, address
client.post("/api/v1/videos", data={"camera": "gate", "file": (__import__("io").BytesIO(b"x"), "x.mp4")})
heavy = ("torch", "paddle", "cv2", "onnxruntime", "supervision", "scipy", "matplotlib", "pipeline", "model")
print("loaded:", *(name for name in heavy if name in sys.modules))
"""
    environ = {**os.environ, "RESIGHT_DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
