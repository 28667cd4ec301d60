"""LLVM text to machine code in this process: optimise, emit an object, link it.

One LLJIT holds one object, so freeing a program frees its code. JITLink puts an object's sections side by side;
LLVM's older linker allocates each where it finds room, and aborts the process if two are over 2 GiB apart. The
pipeline is O2 without the SLP vectoriser, whose cost explodes on straight-line code; programs with very long
blocks get less.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TypeAlias

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding.newpassmanagers import NewPassManager

from ..base.turns import held_across_forks
from . import cache

# Instructions in a row without a branch. Beyond, register allocation takes a time quadratic in their number,
# and code is made in one sweep instead: 0.02 s, not 0.2 s, for the gradient of 1,000 scalar operations, and
# 0.8 s, not 17 s, for that of 20,000. It is slower, by 1.3 times and 1.6 times.
_LONG = 1_500
# Addresses are part of the instructions that use them.
_ADDRESS = re.compile(r"\n  %\S+ = getelementptr .*")
# Lines of a program beyond which LLVM is asked for less work.
_LARGE = 15_000
# Where a function's arrays lie is said at its start: no work, however many there are.
_PLACES = re.compile(r"\n  %\S+ = (?:alloca|getelementptr inbounds i8, ptr %scratch).*")
# llvmlite's own, which it takes for each call, and when it lets go of what it made
lock: AbstractContextManager[None] = llvm.ffi.lib._lock
held_across_forks(lock)


@functools.cache
def _machine(level: int) -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=host_features(),
        opt=level,
        reloc="pic",
        codemodel="default",
        jit=True,
    )


def host_features() -> str:
    # slower than scalar loads and stores on the CPUs this was measured on
    features: str = llvm.get_host_cpu_features().flatten()
    if llvm.get_default_triple().startswith("x86_64"):
        features += ",+prefer-no-gather,+prefer-no-scatter"
    return features


@functools.cache
def identity() -> str:
    """What machine code depends on besides the program: versions, CPU and its features."""
    with lock:
        parts = [
            llvmlite.__version__,
            str(llvm.llvm_version_info),
            llvm.get_process_triple(),
            llvm.get_host_cpu_name(),
            host_features(),
            "pipeline 2",
        ]
    return "|".join(parts)


Levels: TypeAlias = "tuple[int, int]"  # how hard to work before, and while, machine code is made


def levels_for(text: str) -> Levels:
    """How hard to work on a program."""
    text = _PLACES.sub("", text)
    large = text.count("\n") > _LARGE
    text = _ADDRESS.sub("", text)
    start = straight = 0
    for found in re.finditer(r"\n(?!  (?!br ))", text):  # where a block ends
        length = text.count("\n", start, found.start())
        straight += length if length >= _LONG else 0
        start = found.end()
    if not straight:
        # a long program runs no faster for the passes that 2 has more, which take a quarter of the time
        return (1 if large else 2), 2
    # the builder has simplified straight code: there is nothing left to do before
    return (0 if 2 * straight > text.count("\n") else 1), 0


def machine_code(text: str, levels: Levels | None = None) -> tuple[bytes, bool]:
    """Machine code, as an object file, for LLVM text; and whether it came from the object cache."""
    name = cache.key(text, identity(), str(levels))
    data = cache.load(name)
    if data is not None:
        return data, True
    data = _emit_object(text, levels or levels_for(text))
    cache.store(name, data)
    return data, False


def _emit_object(text: str, levels: Levels) -> bytes:
    with lock:
        module, machine = _optimised(text, levels)
        data: bytes = machine.emit_object(module)
        return data


def _optimised(text: str, levels: Levels) -> tuple[llvm.ModuleRef, llvm.TargetMachine]:
    before, during = levels
    machine = _machine(during)
    module = parsed(text, machine, llvm.create_context())
    optimise(module, machine, before)
    return module, machine


def parsed(text: str, machine: llvm.TargetMachine, context: llvm.ContextRef) -> llvm.ModuleRef:
    """LLVM text as a module for a machine."""
    module = llvm.parse_assembly(text, context)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    return module


def optimise(
    module: llvm.ModuleRef,
    machine: llvm.TargetMachine,
    level: int,
    vectors: bool = True,
    unrolling: bool = True,
) -> None:
    """Run LLVM's passes of that level; whether loops get vectors, and are unrolled, is asked for."""
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.slp_vectorization = False
    options.loop_vectorization = vectors
    options.loop_unrolling = unrolling
    builder = llvm.create_pass_builder(machine, options)
    passes = builder.getModulePassManager()
    passes.run(module, builder)
    # which llvmlite would not: a base class hides its method
    NewPassManager._dispose(passes)
    passes.detach()


def assembly(text: str) -> str:
    """The program as assembly for this machine."""
    with lock:
        module, machine = _optimised(text, levels_for(text))
        out: str = machine.emit_assembly(module)
        return out


class Code:
    """An object linked into this process, with the addresses of `symbols` it does not define; `address` is that
    of its entry. Freed with this value."""

    def __init__(self, data: bytes, entry: str, symbols: Mapping[str, int] | None = None) -> None:
        with lock:
            self._jit = llvm.create_lljit_compiler(_machine(2), use_jit_link=True)
            builder = llvm.JITLibraryBuilder()
            builder.add_object_img(data)
            builder.add_current_process()
            for name, address in (symbols or {}).items():
                builder.import_symbol(name, address)
            builder.export_symbol(entry)
            self._library = builder.link(self._jit, "program")
            self.address: int = self._library[entry]
        self.used: list[object] = []  # what the symbols are addresses of, kept with the code
