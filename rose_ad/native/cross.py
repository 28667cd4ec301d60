"""LLVM text to object files for other machines: those that this build of LLVM knows.

Such an object is given to a linker, not run here. Several programs may become one object; what they have of
the same name but inside themselves is told apart.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import llvmlite.binding as llvm

from ..base.errors import TypeMismatch
from ..base.source import here
from . import cache
from .jit import host_features, identity, levels_for, lock, optimise, parsed


@dataclass(frozen=True)
class Target:
    """A machine: LLVM's triple of it, its CPU and its features, as LLVM names them; empty for the plainest.

    Where code is to be `small`, loops are not unrolled.
    """

    triple: str
    cpu: str = ""
    features: str = ""
    small: bool = False
    vectors: bool = True  # whether loops use vector instructions


def host() -> Target:
    """The machine that this runs on, as functions are compiled for it when they are called."""
    with lock:
        return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), host_features())


def object_file(texts: Sequence[str], target: Target) -> bytes:
    """One object file of these programs, whose entries have different names.

    Raises TypeMismatch for a target that this LLVM has not.
    """
    name = cache.key(*texts, identity(), repr(target), "object 1")
    data = cache.load(name)
    if data is None:
        data = _emitted(texts, target)
        cache.store(name, data)
    return data


def _emitted(texts: Sequence[str], target: Target) -> bytes:
    before, during = map(min, zip(*map(levels_for, texts), strict=True))
    with lock:
        machine = _machine(target, during)
        context = llvm.create_context()
        first, *others = (parsed(text, machine, context) for text in texts)
        for other in others:
            first.link_in(other)
        optimise(first, machine, before, target.vectors, not target.small)
        data: bytes = machine.emit_object(first)
        return data


@functools.cache
def _machine(target: Target, level: int) -> llvm.TargetMachine:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        found = llvm.Target.from_triple(target.triple)
    except RuntimeError:
        raise TypeMismatch(
            f"LLVM knows no target {target.triple!r} here",
            here(),
            'a triple, such as "aarch64-linux-gnu", "riscv64-linux-gnu" or "thumbv7em-none-eabihf"',
        ) from None
    alone = any(part in target.triple for part in ("wasm", "none"))  # nothing places it anew
    return found.create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=level,
        reloc="static" if alone else "pic",
        codemodel="default",
    )
