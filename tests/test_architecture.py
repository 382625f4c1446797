"""The two worlds, their one door, and the floors of the house."""

import ast
import functools
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"support", "device", "data"},
    {"network", "slopes", "timing", "system", "timeline"},
    {"writes"},
    {"learning"},
    {"forward_forward"},
    {"rules"},
    {"training", "catalog"},
    {"study"},
    {"figures", "classifier", "characterize"},
    {"report"},
    {"api"},
    {"cli", "__main__"},
]


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


def imports(path):
    """Yield every module that a file imports, wherever in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(module):
    parts = module.split(".")
    if parts[0] != "analogff" or len(parts) < 2:
        return None
    return next((n for n, rooms in enumerate(FLOORS) if parts[1] in rooms), None)


@pytest.mark.slow
@pytest.mark.parametrize("path", files("analogff"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_learner_never_sees_the_physics(path):
    found = [m for m in imports(path) if m.split(".")[0] in ("hardware_models", "experiments")]
    assert not found, f"{path} imports {found}. Name the device in a study file; the catalog finds it."


@pytest.mark.parametrize("path", files("hardware_models"), ids=lambda p: str(p.relative_to(ROOT)))
def test_physics_knows_the_contract_and_nothing_of_learning(path):
    found = [
        m
        for m in imports(path)
        if m.split(".")[0] in ("analogff", "experiments") and not m.startswith("analogff.device")
    ]
    assert not found, f"{path} imports {found}. What physics may use of analogff is in analogff.device."


@pytest.mark.parametrize("path", files("analogff"), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_runs_upward(path):
    here = floor_of("analogff." + path.relative_to(ROOT / "analogff").with_suffix("").as_posix().replace("/", "."))
    if here is None:  # analogff/__init__.py opens the door for everybody
        return
    above = {m for m in imports(path) if (floor := floor_of(m)) is not None and floor > here}
    assert not above, f"{path} imports {above} from a floor above. Move what both need down."


@pytest.mark.slow
def test_no_two_files_import_each_other():
    """Not even for their types, nor by a detour; a package's own ``__init__`` is no file of its room."""
    paths = [p for p in [*files("analogff"), *files("hardware_models")] if p.name != "__init__.py"]
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): {*imports(p)} for p in paths}
    graph = {module: {m for m in found if m in modules and m != module} for module, found in modules.items()}
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("path", files("analogff"), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_room_has_a_floor(path):
    parts = path.relative_to(ROOT / "analogff").with_suffix("").parts
    assert parts[0] == "__init__" or any(parts[0] in rooms for rooms in FLOORS), f"Give {parts[0]} a floor."


LEARNERS = [
    path for room in ("rules", "learning", "forward_forward", "slopes", "writes") for path in files(f"analogff/{room}")
] + [ROOT / "analogff/network/twin.py"]


@pytest.mark.parametrize("path", LEARNERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_rule_reaches_past_the_seal(path):
    """Python cannot forbid it, so this does: no private attribute but its own, no raw device, no checkpoint."""
    tree = parsed(path)
    private = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        and node.attr not in ("_replace", "_make")
    }
    assert not private, f"{path} uses {private}. A rule has the verbs of Sealed and Network."
    raw = {"fabricate", "fabricate_chips", "fabricate_wired", "Chips", "Device", "Bank", "Ledger", "evaluating"}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & raw, f"{path} uses {names & raw}. A rule is handed sealed devices only."


def test_no_unsafe_loading_anywhere():
    for path in [*files("analogff"), *files("hardware_models")]:
        tree = parsed(path)
        assert not {m for m in imports(path) if m.split(".")[0] in ("pickle", "dill", "joblib")}, path
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            loads = isinstance(call.func, ast.Attribute) and call.func.attr == "load"  # unparsing takes its time
            if loads and ast.unparse(call.func) == "torch.load":
                assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords), path


@pytest.mark.slow
def test_nothing_seeds_globally():
    banned = {
        "torch.manual_seed",
        "torch.random.manual_seed",
        "np.random.seed",
        "random.seed",
        "seed_everything",
    }
    conformance = ROOT / "analogff/device/checks"  # seeds on purpose, to see whether a device listens
    for path in [*files("analogff"), *files("hardware_models")]:
        if conformance in path.parents:
            continue
        calls = {ast.unparse(n.func) for n in ast.walk(parsed(path)) if isinstance(n, ast.Call)}
        assert not calls & banned, path
