"""Imports only go down: the floors of the house, as CONTRIBUTING.md shows them."""

import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tree import PACKAGE, ROOT, modules, own

# from the roof to the ground; what stands on one floor does not see its neighbours
FLOORS = (
    ("",),  # the public face
    ("cli",),
    ("conversion", "describe"),
    ("report", "parts", "export"),
    ("evaluation",),
    ("identify", "identification"),
    ("ranking",),
    ("library",),
    ("search",),
    ("bridge", "fragmentation", "reference"),
    ("embeddings", "hits"),
    ("encoders",),
    ("weights",),
    ("spectra",),
    ("molecules",),
    ("provenance", "processes", "worker_pool", "device"),
    ("records", "shards"),
    ("streams", "hdf5_file"),
    ("temporary",),
    ("compiled", "content", "gzip_file", "hdf5_process", "progress", "interrupts", "terminal", "threads"),
    ("forks",),
    ("constants", "errors", "pretrained"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
IMPORT_TIME = 0.050  # s, without starting Python
HEAVY = ("torch", "rdkit", "numpy", "h5py", "scipy", "click", "transformers")
IMPORT = """
import sys, time
started = time.process_time()
import specbridge_tools
print(time.process_time() - started, *(name for name in {heavy} if name in sys.modules))
"""


def test_every_room_has_its_floor():
    assert {module.room for module in modules()} <= set(FLOOR)


@pytest.mark.parametrize("room", sorted({module.room for module in modules()}))
def test_imports_go_down(room):
    upward = []
    for module in modules():
        for line, imported in module.imports if module.room == room else ():
            target = own(imported)
            if target is None or imported == f"{PACKAGE}.__version__":
                continue
            below = target.partition(".")[0]
            if below != room and FLOOR[below] <= FLOOR[room]:
                upward.append(f"{module.path}:{line}: {imported}")
    assert upward == []


def test_no_module_imports_itself_by_way_of_others():
    graph = {}
    for module in modules():
        targets = {own(imported) for _, imported in module.imports if imported != f"{PACKAGE}.__version__"}
        graph[module.name] = targets - {None, module.name}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(modules())


def test_the_wings_of_a_room_stand_on_each_other_without_a_circle():
    graph = {}
    for module in modules():
        wing = module.name.rpartition(".")[0] if module.is_in_a_room else module.name
        for _, imported in module.imports:
            target = own(imported)
            folder = target and (target.rpartition(".")[0] or target)
            if folder and folder.partition(".")[0] == module.room and _apart(wing, folder):
                graph.setdefault(wing, set()).add(folder)
    graphlib.TopologicalSorter(graph).prepare()


def _apart(wing, other):
    """Whether two folders are different wings; the room itself, whose modules join its wings, is none."""
    return wing != other and "." in wing and "." in other


def test_only_three_modules_import_rdkit():
    users = {module.path for module in modules() for _, imported in module.imports if _top(imported) == "rdkit"}
    assert users == {"molecules/chemistry.py", "molecules/drawing.py", "molecules/smiles_graph.py"}


def _top(imported):
    return imported.partition(".")[0]


def test_importing_the_package_is_quick_and_light():
    seconds = []
    for _ in range(5):
        code = IMPORT.format(heavy=HEAVY)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        time, *heavy = done.stdout.split()
        assert heavy == []
        seconds.append(float(time))
    assert min(seconds) < IMPORT_TIME


def test_the_face_holds_what_it_lists():
    face = importlib.import_module(PACKAGE)
    missing = [name for name in getattr(face, "__all__", ()) if not hasattr(face, name)]
    assert missing == []
