"""What compiled code is made for here, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from . import cache
from .jit import host_features, lock

_OF_INTEREST = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve")  # as LLVM names them


@dataclass(frozen=True)
class Machine:
    """The processor that code is made for, the compiler, and the cache of objects.

    `features` are those of its vectors. Without a cache, of which `why_no_cache` tells, every program is
    compiled anew.
    """

    llvmlite: str
    llvm: str
    triple: str
    processor: str
    features: tuple[str, ...]
    cache: Path | None
    why_no_cache: str
    objects: int
    object_bytes: int


def machine() -> Machine:
    """What compiled code is made for here, and where it is kept."""
    with lock:
        version = ".".join(map(str, llvm.llvm_version_info))
        triple, processor = llvm.get_process_triple(), llvm.get_host_cpu_name()
        has = {name[1:] for name in host_features().split(",") if name.startswith("+")}
    path, why = cache.look()
    sizes = [p.stat().st_size for p in cache.objects(path)] if path else []
    features = tuple(name for name in _OF_INTEREST if name in has)
    return Machine(
        llvmlite.__version__,
        version,
        triple,
        processor,
        features,
        path,
        why,
        len(sizes),
        sum(sizes),
    )
