"""Functions that run where there is no Python: as WebAssembly with a loader (`javascript`), and as C (`c`).

A function is exported for arguments of one structure and type, those of an example. Like all that is compiled
it allocates nothing, and its memory is known beforehand.
"""

from .c import export_c
from .javascript import export_wasm, javascript_runtime
from .wasm import WasmModule, wasm_module

__all__ = ["WasmModule", "export_c", "export_wasm", "javascript_runtime", "wasm_module"]
