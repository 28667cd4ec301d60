"""LLVM text to machine code in this process: optimise, emit an object, link it.

One LLJIT holds one object, so freeing a program frees its code. The pipeline is O2 without the SLP vectoriser,
whose cost explodes on straight-line code; very large programs get O1.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping

import llvmlite
import llvmlite.binding as llvm

_LARGE = 400_000  # characters of IR text: beyond, O2's superlinear passes cost more than they bring
_lock = threading.Lock()


@functools.cache
def _machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=_features(),
        opt=2,
        reloc="pic",
        codemodel="default",
        jit=True,
    )


def _features() -> str:
    # slower than scalar loads on the CPUs this was measured on
    features: str = llvm.get_host_cpu_features().flatten()
    if llvm.get_default_triple().startswith("x86_64"):
        features += ",+prefer-no-gather"
    return features


@functools.cache
def identity() -> str:
    """What machine code depends on besides the program: versions, CPU and its features."""
    return "|".join(
        [
            llvmlite.__version__,
            str(llvm.llvm_version_info),
            llvm.get_process_triple(),
            llvm.get_host_cpu_name(),
            _features(),
            "pipeline 1",
        ]
    )


def emit_object(text: str) -> bytes:
    """Optimised machine code, as an object file, for LLVM text."""
    with _lock:
        machine = _machine()
        module = _optimised(text, machine)
        data: bytes = machine.emit_object(module)
        return data


def _optimised(text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=1 if len(text) > _LARGE else 2)
    options.slp_vectorization = False
    options.loop_vectorization = True
    options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def optimised_text(text: str) -> str:
    """The program after LLVM's passes."""
    with _lock:
        return str(_optimised(text, _machine()))


def assembly(text: str) -> str:
    """The program as assembly for this machine."""
    with _lock:
        machine = _machine()
        out: str = machine.emit_assembly(_optimised(text, machine))
        return out


class Code:
    """An object linked into this process, with the addresses of `symbols` it does not define; `address` is that
    of its entry. Freed with this value."""

    def __init__(self, data: bytes, entry: str, symbols: Mapping[str, int] | None = None) -> None:
        with _lock:
            self._jit = llvm.create_lljit_compiler(_machine())
            builder = llvm.JITLibraryBuilder()
            builder.add_object_img(data)
            builder.add_current_process()
            for name, address in (symbols or {}).items():
                builder.import_symbol(name, address)
            builder.export_symbol(entry)
            self._library = builder.link(self._jit, "program")
            self.address: int = self._library[entry]
        self.callbacks: list[object] = []  # what the symbols are addresses of, kept with the code
