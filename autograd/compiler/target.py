"""Target: the machine that code is made for, as LLVM knows it."""

from __future__ import annotations

import platform
from functools import cache
from typing import NamedTuple

import llvmlite.binding as llvm

from autograd.compiler.arrays import laid_out_as_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Unsupported(RuntimeError):  # noqa: N818  nobody's error
    """LLVM has no target for this machine."""


class Target(NamedTuple):
    """What code is made for.

    Attributes:
        cpu, features: as LLVM calls them.
        width: numbers in a vector.
        registers: vectors in registers.
        fused: whether it multiplies and adds in one instruction.
    """

    cpu: str
    features: str
    width: int
    registers: int
    fused: bool

    def machine(self) -> Any:
        """Return LLVM's description of it."""
        return llvm.Target.from_default_triple().create_target_machine(
            cpu=self.cpu, features=self.features, opt=2
        )

    def compiled(self, text: str) -> Any:
        """Return the engine that holds the machine code of LLVM IR."""
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), self.machine())
        engine.finalize_object()
        return engine


@cache
def host() -> Target:
    """Return this machine as a target.

    Raises:
        Unsupported: LLVM does not know it, or NumPy is not the one that code is made for.
    """
    try:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        llvm.Target.from_default_triple()
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features()
    except RuntimeError as error:
        raise Unsupported(str(error)) from None
    if not laid_out_as_known():
        raise Unsupported("this NumPy's arrays are laid out in another way")
    has = features.get
    names = features.flatten()
    if has("avx512f") and has("avx512dq"):
        return Target(cpu, names, width=8, registers=32, fused=True)
    if has("avx2"):
        return Target(cpu, names, width=4, registers=16, fused=bool(has("fma")))
    neon = platform.machine() in {"aarch64", "arm64"}
    return Target(cpu, names, width=2, registers=32 if neon else 16, fused=neon)
