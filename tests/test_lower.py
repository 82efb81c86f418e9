"""Rows as machine instructions give what their float functions give, in every lane."""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from reference import points

from autograd import ieee, jit, primitives, softmax, trace
from autograd.primitives import TABLE, Primitive

pytest.importorskip("llvmlite")

from llvmlite import binding, ir

from autograd.compiler import vectors
from autograd.compiler.expand import EXPANSIONS, logsumexp_by_count
from autograd.compiler.lower import LOWERINGS
from autograd.compiler.vectors import Emitter, Lanes

inf, nan = math.inf, math.nan
DOUBLE, INDEX, POINTER = ir.DoubleType(), ir.IntType(64), ir.PointerType()
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, inf, -inf, nan, 5e-324, -1e-310, 1e-200, 1e200, -1.7e308)
ROUNDED_EXPONENTS = {
    "exp_difference", "gaussian", "normal_density", "normal_distribution", "gelu",
}  # fmt: skip
# lanes, the processor's features; None is whatever this machine has
TARGETS = {
    "scalar": (1, None),
    "sse2": (2, "+sse2"),
    "avx2": (4, "+avx2"),
    "host": (4, None),
    "avx512": (8, "+avx512f,+avx512dq"),
}


def executable(features):
    if features is None:
        return True
    host = binding.get_host_cpu_features()
    return all(host.get(feature.strip("+")) for feature in features.split(","))


every_target = pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=pytest.mark.skipif(not executable(features), reason="other CPU"))
        for name, (_, features) in TARGETS.items()
    ],
)
ARITIES = {name: len(TABLE[name].operand_names) for name in LOWERINGS if name != "norm"}
binding.initialize_all_targets()
binding.initialize_all_asmprinters()


def module_of(sizes, width, precise):
    """For each name and number of operands a function that applies the row to many points.

    Operands and results are vectors; those of a point stand one after the other.
    """
    module = ir.Module()
    module.triple = binding.get_process_triple()
    for name, size in sizes.items():
        signature = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INDEX])
        function = ir.Function(module, signature, f"row.{name}")
        operands, results, count = function.args
        builder = ir.IRBuilder(function.append_basic_block())
        emitter = Emitter(builder, width, precise)
        loop, end = function.append_basic_block(), function.append_basic_block()
        before = builder.block
        builder.branch(loop)
        builder.position_at_end(loop)
        i = builder.phi(INDEX)
        i.add_incoming(INDEX(0), before)
        start = builder.gep(operands, [builder.mul(i, INDEX(size))], source_etype=emitter.type)
        places = [builder.gep(start, [INDEX(k)], source_etype=emitter.type) for k in range(size)]
        numbers = [builder.load(place, typ=emitter.type, align=8) for place in places]
        result = LOWERINGS[name](emitter, *numbers)
        builder.store(result, builder.gep(results, [i], source_etype=emitter.type), align=8)
        following = builder.add(i, INDEX(1))
        i.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), loop, end)
        builder.position_at_end(end)
        builder.ret_void()
    return module


def optimized(module, machine):
    parsed = binding.parse_assembly(str(module))
    parsed.verify()
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(1))
    passes.getModulePassManager().run(parsed, passes)
    return parsed


def machine_of(features=None, triple=None):
    target = binding.Target.from_triple(triple or binding.get_process_triple())
    if features is None:
        cpu = binding.get_host_cpu_name()
        return target.create_target_machine(cpu, binding.get_host_cpu_features().flatten(), opt=1)
    return target.create_target_machine(features=features, opt=1)


def engine_of(module, features=None):
    machine = machine_of(features)
    engine = binding.create_mcjit_compiler(optimized(module, machine), machine)
    engine.finalize_object()
    return engine


@functools.cache
def engine_for(target, precise):
    width, features = TARGETS[target]
    return engine_of(module_of(ARITIES, width, precise), features)


def run(engine, name, trials, width):
    """The row's results, the points being the rows of an array."""
    count = -(-len(trials) // width)
    lanes = np.resize(trials, (count, width, trials.shape[1])).transpose(0, 2, 1).copy()
    results = np.empty((count, width))
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    address = engine.get_function_address(f"row.{name}")
    function(address)(lanes.ctypes.data, results.ctypes.data, count)
    return results.ravel()[: len(trials)]


def kinks(row):
    texts = [kink.partition(":")[0] for kink in row.kinks.split(";") if kink]
    return [tuple(map(float, text.split(","))) for text in texts]


def magnitudes(rng, size, count):
    """Points of every exponent and sign."""
    return [
        tuple(rng.choice((-1.0, 1.0)) * 2.0 ** rng.uniform(-1074.0, 1024.0) for _ in range(size))
        for _ in range(count)
    ]


@functools.cache
def trials(name):
    """The points at which a row is tried, and what its float function gives there."""
    row, size, rng = TABLE[name], ARITIES[name], random.Random(name)
    found = [*points(row, 30), *kinks(row), *itertools.product(SPECIAL, repeat=size)]
    found += magnitudes(rng, size, 300)
    found += [tuple(rng.uniform(-40.0, 40.0) for _ in range(size)) for _ in range(300)]
    return np.array(found), np.array([float(row.value(*point)) for point in found])


def bits(numbers):
    """The numbers as integers, every nan the same."""
    return np.where(np.isnan(numbers), nan, numbers).view(np.int64)


def assert_same(name, found, expected, at):
    wrong = np.flatnonzero(bits(found) != bits(expected))
    assert not wrong.size, [(name, at[i], found[i], expected[i]) for i in wrong[:5]]


def assert_close(name, found, expected, at):
    """Of the same kind and sign everywhere, and within a few ulp even where subnormal."""
    finite = np.isfinite(expected)
    size = np.where(finite, abs(expected), 0.0)
    relative = np.full(size.shape, 4e-15)
    if name in ROUNDED_EXPONENTS:
        relative += 4e-16 * abs(np.log(np.maximum(size, 5e-324)))
    bound = relative * size + 8 * 5e-324
    with np.errstate(invalid="ignore"):
        near = np.where(finite, abs(found - expected) <= bound, bits(found) == bits(expected))
    near &= np.isnan(expected) | (np.signbit(found) == np.signbit(expected))
    wrong = np.flatnonzero(~near)
    assert not wrong.size, [(name, at[i], found[i], expected[i]) for i in wrong[:5]]


# Which rows


def test_lowered_and_written_out_rows_are_the_engines_table():
    engines = {row.name for row in vars(primitives).values() if isinstance(row, Primitive)}
    assert {*LOWERINGS, *EXPANSIONS, "dot", "sum", "mean"} == engines
    assert {*LOWERINGS} & {*EXPANSIONS} == {"norm"}


def test_rows_stand_in_the_order_of_the_table():
    assert [*LOWERINGS] == [name for name in TABLE if name in LOWERINGS]


# Values


@every_target
def test_precise_rows_are_the_float_functions_bit_for_bit(target):
    for name in ARITIES:
        at, expected = trials(name)
        found = run(engine_for(target, precise=True), name, at, TARGETS[target][0])
        assert_same(name, found, expected, at)


@every_target
def test_default_rows_are_the_float_functions_within_a_few_ulp(target):
    for name in ARITIES:
        at, expected = trials(name)
        found = run(engine_for(target, precise=False), name, at, TARGETS[target][0])
        assert_close(name, found, expected, at)


@pytest.mark.parametrize("precise", [True, False])
def test_constant_operands_give_what_others_give(precise):
    # of what it knows as C's functions LLVM would compute such calls itself
    operands = {name: trials(name)[0][0] for name in ARITIES}
    module = ir.Module()
    module.triple = binding.get_process_triple()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), "constants")
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, 1, precise)
    for i, (name, point) in enumerate(operands.items()):
        result = LOWERINGS[name](emitter, *[emitter.constant(x) for x in point])
        builder.store(result, builder.gep(function.args[0], [INDEX(i)], source_etype=DOUBLE))
    builder.ret_void()
    calls = {*re.findall(r"libm\.\w+", str(module))}
    assert len(calls) > 20
    assert {*re.findall(r"libm\.\w+", str(optimized(module, machine_of())))} == calls
    found = np.empty(len(operands))
    engine = engine_of(module)
    address = engine.get_function_address("constants")
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(found.ctypes.data)
    for (name, point), x in zip(operands.items(), found, strict=True):
        expected = run(engine_for("scalar", precise), name, np.array([point]), 1)
        assert_same(name, np.array([x]), expected, [point])


@pytest.mark.parametrize("precise", [True, False])
def test_where_no_library_is_found_python_is_called_back(precise, monkeypatch):
    monkeypatch.setattr(vectors, "_library", lambda _path: None)
    module = module_of(ARITIES, 4, precise)
    assert "libm." not in str(module)
    assert "_ZGV" not in str(module)
    engine = engine_of(module)
    for name in ARITIES:
        at, expected = (numbers[-100:] for numbers in trials(name))
        found = run(engine, name, at, 4)
        if precise and name != "cbrt":  # whose last digit is mended twice
            assert_same(name, found, expected, at)
        else:
            assert_close(name, found, expected, at)


# Machine code


@pytest.mark.parametrize("precise", [True, False])
def test_the_same_calls_are_joined(precise):
    module = ir.Module()
    module.triple = binding.get_process_triple()
    function = ir.Function(module, ir.FunctionType(DOUBLE, [DOUBLE, DOUBLE]), "twice")
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, 1, precise)
    powers = [LOWERINGS["exp_difference"](emitter, *function.args) for _ in range(2)]
    builder.ret(LOWERINGS["add"](emitter, *powers))
    assert str(module).count("call double") == 2
    assert str(optimized(module, machine_of())).count("call double") == 1


@pytest.mark.parametrize(
    ("triple", "features", "width"),
    [
        ("x86_64-linux-gnu", "+avx2,+fma", 1),
        ("x86_64-linux-gnu", "+avx512f,+avx512dq", 8),
        ("aarch64-linux-gnu", "+neon", 2),
    ],
)
def test_precise_machine_code_fuses_no_product_with_a_sum(triple, features, width):
    names = ("add", "cbrt", "exp_difference", "gelu", "silu", "softsign")
    module = module_of({name: ARITIES[name] for name in names}, width, precise=True)
    module.triple = triple
    machine = machine_of(features, triple)
    text = machine.emit_assembly(optimized(module, machine))
    assert all(f"row.{name}:" in text for name in names)
    assert not re.search(r"\b(vfn?m(add|sub)|fml[as]|fn?m(add|sub))", text)


def test_a_mask_is_neither_true_nor_false():
    emitter = Emitter(ir.IRBuilder(), 2, precise=True)
    with pytest.raises(TypeError, match="select"):
        bool(Lanes(emitter, emitter.constant(1.0)))


# Rows of any length


@functools.cache
def lists():
    """Lists of numbers, of several lengths, with whatever is special at every place."""
    rng = random.Random(0)
    found = [point for size in range(1, 4) for point in itertools.product(SPECIAL, repeat=size)]
    found += [point for size in (2, 7, 100) for point in magnitudes(rng, size, 100)]
    for size in (1, 2, 7, 100):
        found += [tuple(rng.uniform(-30.0, 30.0) for _ in range(size)) for _ in range(100)]
        found += [tuple(rng.choice((-2.0, 1.0, 3.0)) for _ in range(size)) for _ in range(10)]
    return found


@pytest.mark.parametrize(("width", "sizes"), [(1, (1, 2, 7, 100, 1024)), (4, (1, 3, 100))])
def test_a_precise_norm_is_pythons_of_any_length(width, sizes):
    for size in sizes:
        at = np.array([xs for xs in lists() if len(xs) == size] or [range(size)], dtype=float)
        engine = engine_of(module_of({"norm": size}, width, precise=True))
        expected = np.array([math.hypot(*xs) for xs in at])
        assert_same("norm", run(engine, "norm", at, width), expected, at)


def test_a_norm_of_more_numbers_than_can_be_handed_to_python_is_an_error():
    with pytest.raises(NotImplementedError, match="1025 numbers"):
        module_of({"norm": 1025}, 1, precise=True)


@pytest.mark.parametrize("name", ["peak", "logsumexp"])
def test_a_row_written_out_is_the_float_function_bit_for_bit(name):
    for xs in ((), *lists()):
        found, expected = EXPANSIONS[name](*xs), TABLE[name].value(*xs)
        assert_same(name, np.array([found]), np.array([expected]), [xs])


def test_a_norm_of_nothing_is_0():
    assert EXPANSIONS["norm"]() == 0.0


@pytest.mark.parametrize(
    ("name", "formula"), [("norm", EXPANSIONS["norm"]), ("logsumexp", logsumexp_by_count)]
)
def test_a_row_written_out_in_another_order_is_within_a_few_ulp(name, formula):
    at = lists()
    found, expected = (np.array([f(*xs) for xs in at]) for f in (formula, TABLE[name].value))
    assert_close(name, found, expected, at)


@pytest.mark.parametrize("precise", [False, True])
def test_the_peak_of_numbers_less_their_peak_is_found_without_another_comparison(precise):
    def function(xs):
        return primitives.peak([x - primitives.peak(xs) for x in xs])

    compiled = jit(function, precise=precise)
    at = np.array([xs for xs in lists() if len(xs) == 3])
    assert_same("peak", compiled.map(at), np.array([function([*xs]) for xs in at.tolist()]), at)
    assert compiled.source().count("maximum") == 3 - 1


@pytest.mark.parametrize("name", [*EXPANSIONS])
def test_rows_are_written_out_in_any_kind_of_number(name):
    xs = [0.5, -1.5, 0.25]
    program = trace(lambda xs: EXPANSIONS[name](*xs), [0.0, 0.0, 0.0])
    assert program(xs) == EXPANSIONS[name](*xs)


def test_logsumexp_and_softmax_share_their_exponentials():
    program = trace(lambda xs: [EXPANSIONS["logsumexp"](*xs), *softmax(xs)], [0.0] * 5)
    # the two peaks are the same, but for their numbers
    peaks = [5 + i for i, (row, _) in enumerate(program.instructions) if row.name == "peak"]
    powers = [operands for row, operands in program.instructions if row.name == "exp_difference"]
    assert len({program.instructions[i - 5][1] for i in peaks}) == 1
    assert len(powers) == 2 * 5
    assert {(x, largest in peaks) for x, largest in powers} == {(i, True) for i in range(5)}
    assert program([1.0, 2.0, 3.0, 4.0, 5.0])[0] == ieee.logsumexp(1.0, 2.0, 3.0, 4.0, 5.0)
