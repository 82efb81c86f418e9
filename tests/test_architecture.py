"""The house: imports go down, `import autograd` is light, the public names are these."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from inspect import getdoc
from pathlib import Path

import pytest

import autograd
from autograd.primitives import TABLE, Primitive, Reduction

ROOT = Path(__file__).parents[1]
FLOORS = {
    "autograd.ieee": 0,
    "autograd.primitives": 0,
    "autograd.value": 1,
    "autograd.backward": 1,
    "autograd.watch": 1,
    "autograd.modes": 1,
    "autograd.structure": 1,
    "autograd.flow": 1,
    "autograd.recorded": 1,
    "autograd.copies": 1,
    "autograd.forward": 2,
    "autograd.program": 2,
    "autograd.tracer": 2,
    "autograd.source": 2,
    "autograd.functional": 3,
    "autograd.differences": 3,
    "autograd.tape": 3,
    "autograd.draw": 3,
    "autograd.compiler": 4,
    "autograd": 5,  # the face
    "autograd.expression": 6,
    "autograd.__main__": 6,
    "nn": 6,
}
FUNCTIONS = """
    exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal sin cos tan asin acos atan
    sinh cosh tanh sech asinh acosh atanh erf erfc
    relu leaky_relu elu selu softplus sigmoid log_sigmoid silu gelu softsign hardtanh
    abs sign step floor ceil
    maximum minimum clip hypot atan2 pow logaddexp xlogy where
    dot sum mean norm logsumexp softmax log_softmax
""".split()  # noqa: SIM905  as one reads them
DERIVATIVES = """
    gradients grad value_and_grad vjp jvp jacobian jacobian_forward jacobian_reverse hessian hvp
    linearize trace jit explain explore gradcheck primitive
""".split()  # noqa: SIM905
PUBLIC = {*FUNCTIONS, *DERIVATIVES, "Value", "no_grad", "detect_anomaly", "backward_steps", "draw"}
FILES = sorted([*(ROOT / "autograd").rglob("*.py"), *(ROOT / "nn").rglob("*.py")])
KIT = ROOT / "autograd" / "conformance"  # on no floor: it imports itself and nothing of ours


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module):
    """The floor of the module, or of the package that it is part of."""
    while module not in FLOORS:
        module, _, _ = module.rpartition(".")
    return FLOORS[module]


def imports_of(path):
    """What a file imports when it runs, as (line, module, name or None)."""
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if path.parent == KIT and node.level == 1:
                continue
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)


def running(node):
    """Every node but those under `if TYPE_CHECKING:`."""
    yield node
    if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from running(child)


def ours(module):
    return module.partition(".")[0] in {"autograd", "nn"}


every_file = pytest.mark.parametrize("path", FILES, ids=module_of)


@every_file
def test_every_file_has_a_floor(path):
    module = module_of(path)
    stands = module in FLOORS or path.parent == KIT or module.startswith("nn.")
    assert stands or floor_of(module) < 5


@pytest.mark.parametrize("path", sorted(KIT.glob("*.py")), ids=module_of)
def test_the_conformance_kit_imports_itself_and_the_standard_library_alone(path):
    assert {
        module.partition(".")[0] for _, module, _ in imports_of(path)
    } <= sys.stdlib_module_names


@every_file
def test_imports_go_down_only(path):
    here = floor_of(module_of(path))
    for line, module, name in imports_of(path):
        if ours(module):
            target = f"{module}.{name}" if f"{module}.{name}" in FLOORS else module
            assert floor_of(target) <= here, f"line {line} imports {target} from above"


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(ROOT / "nn")], ids=module_of)
def test_nn_imports_only_public_names_of_autograd(path):
    for line, module, name in imports_of(path):
        if module.partition(".")[0] == "autograd":
            assert module == "autograd", f"line {line} reaches into {module}"
            assert name is None or name in autograd.__all__, f"line {line} imports {name}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "autograd":
            assert node.attr in autograd.__all__, f"line {node.lineno} uses {node.attr}"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.is_relative_to(ROOT / "autograd")], ids=module_of
)
def test_autograd_imports_the_standard_library_alone(path):
    extras = {"draw": {"graphviz"}, "compiler": {"llvmlite", "numpy"}}
    allowed = set().union(*(extras.get(part, ()) for part in path.parts))
    for line, module, _ in imports_of(path):
        package = module.partition(".")[0]
        known = package in {"autograd", *sys.stdlib_module_names, *allowed}
        assert known, f"line {line} imports {module}"


LIGHT = {"__future__", "_thread", "contextvars", "_contextvars", "itertools", "math", "operator"}


def loaded_by(statement):
    """The modules that a statement loads in an interpreter that has loaded nothing else."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = {{*sys.modules}}; {statement}"
    )
    script += "; print(*({*sys.modules} - before))"
    command = [sys.executable, "-I", "-S", "-c", script]
    return {*subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()}


def test_import_autograd_loads_light_modules_of_the_standard_library_alone():
    loaded = loaded_by("import autograd")
    assert "autograd.value" in loaded
    assert {name for name in loaded if not ours(name)} <= LIGHT | {"_operator"}


def test_import_autograd_loads_of_drawing_its_name_alone():
    assert {name for name in loaded_by("import autograd") if "draw" in name} == {"autograd.draw"}


def test_import_nn_loads_no_third_party_module():
    loaded = {name.partition(".")[0] for name in loaded_by("import nn, nn.datasets")}
    assert loaded <= {"autograd", "nn", *sys.stdlib_module_names}


# The public names


def test_the_public_names_are_these():
    assert {*autograd.__all__} == PUBLIC
    assert len(autograd.__all__) == len(PUBLIC)


def test_a_star_import_gives_the_public_names():
    namespace = {}
    exec("from autograd import *", namespace)
    assert namespace.keys() - {"__builtins__"} == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_says_what_it_does(name):
    thing = getattr(autograd, name)
    if isinstance(thing, Primitive):
        assert thing is TABLE[name]
        signature, _, formula = thing.__doc__.partition(": ")
        assert re.fullmatch(rf"{name}\([\w, ]+\)", signature)
        assert formula.strip()
    else:
        assert len(getdoc(thing)) > 20


def test_every_public_member_of_value_says_what_it_does():
    members = [name for name in dir(autograd.Value) if not name.startswith("_")]
    data = {"data", "edges", "grad", "label", "primitive", "rank"}
    assert {"backward", "detach", "item", "operands", "partials", "tanh"} <= {*members}
    for name in {*members} - data:
        assert getdoc(getattr(autograd.Value, name)), name


def test_every_function_of_one_operand_is_a_method_of_value():
    single = [name for name in FUNCTIONS if len(getattr(TABLE.get(name), "domain", "ab")) == 1]
    methods = [name for name in single if not isinstance(TABLE[name], Reduction)]
    assert len(methods) > 35
    for name in methods:
        assert callable(getattr(autograd.Value, name))


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", autograd.__version__)


@every_file
def test_every_module_says_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body
