"""Who takes part. A peer is a command that answers benchmarks/race.py on its pipes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """One row of the table: the function `build` in `module` makes the program."""

    name: str
    module: str  # its file, under peers/
    build: str
    label: str
    needs: str  # how to get it

    @property
    def file(self) -> str:
        """The name of its file, which selects all the peers in it."""
        return self.module.rpartition(".")[2]

    def command(self, job: str, numbers: tuple[int, ...]) -> list[str]:
        size = [str(n) for n in numbers]
        script = HERE / f"{self.module.replace('.', '/')}.mjs"
        if script.exists():
            return ["node", str(script), *([self.build] if self.build else []), *size]
        return [sys.executable, str(HERE.parent / "worker.py"), self.module, self.build, job, *size]


US = "pip install -e ."
GCC = "apt install gcc"
ROSE = "Node.js, then npm install rose"
JAX_JS = "Node.js, then npm install @jax-js/jax"
TFJS = "Node.js, then npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm"
ZIG = "Node.js, then pip install ziglang"
JAX = "pip install jax"
TAICHI = "pip install taichi"
TORCH = "pip install torch"
WARP = "pip install warp-lang"
CASADI = "pip install casadi"
CASADI_GCC = f"{CASADI}, {GCC}"
ENZYME = "pip install enzyme-ad absl-py"

BILLIARDS = (
    Peer("us", "billiards.rosephys", "scene", "Rosephys", US),
    Peer("us-wasm", "billiards.wasm", "", "Rosephys, WebAssembly in Node", f"{US}, Node.js"),
    Peer("clang-wasm", "billiards.clang", "", "C by hand, clang to WebAssembly", ZIG),
    Peer("c-branch", "billiards.c", "branch", "C by hand, tape of collisions", GCC),
    Peer("c-dense", "billiards.c", "dense", "C by hand, textbook", GCC),
    Peer("jax", "billiards.jax", "reverse", "JAX, reverse mode", JAX),
    Peer("jax-forward", "billiards.jax", "forward", "JAX, forward mode", JAX),
    Peer("casadi", "billiards.casadi", "generated", "CasADi, generated C", CASADI_GCC),
    Peer("casadi-vm", "billiards.casadi", "machine", "CasADi, virtual machine", CASADI),
    Peer("enzyme", "billiards.enzyme", "reverse", "Enzyme, reverse mode", ENZYME),
    Peer("enzyme-forward", "billiards.enzyme", "forward", "Enzyme, forward mode", ENZYME),
    Peer("warp", "billiards.warp", "program", "Warp, one kernel", WARP),
    Peer("taichi", "billiards.taichi", "fused", "Taichi, one kernel", TAICHI),
    Peer("taichi-steps", "billiards.taichi", "stepwise", "Taichi, a kernel a step", TAICHI),
    Peer("torch", "billiards.torch", "eager", "PyTorch, eager", TORCH),
    Peer("rose", "billiards.rose", "", "Rose (npm), WebAssembly", ROSE),
    Peer("jax-js", "billiards.jaxjs", "", "jax-js (npm), WebAssembly", JAX_JS),
    Peer("tfjs", "billiards.tfjs", "", "TensorFlow.js (npm), WebAssembly, f32", TFJS),
)


ROBOT = (
    Peer("us", "robot.rosephys", "scene", "Rosephys", US),
    Peer("c", "robot.c", "expert", "C by hand, arranged for vectors", GCC),
    Peer("c-plain", "robot.c", "textbook", "C by hand, textbook", GCC),
    Peer("jax", "robot.jax", "reverse", "JAX", JAX),
    Peer("taichi", "robot.taichi", "stepwise", "Taichi, a kernel a step", TAICHI),
    Peer("rose", "robot.rose", "", "Rose (npm), WebAssembly", ROSE),
    Peer("rose-demo", "robot.rose_demo", "", "Rose (npm), as in its demonstration", ROSE),
)

SMOKE = (
    Peer("us", "smoke.rosephys", "scene", "Rosephys", US),
    Peer("c", "smoke.c", "expert", "C by hand", GCC),
    Peer("jax", "smoke.jax", "reverse", "JAX", JAX),
    Peer("jax-again", "smoke.jax", "checkpointed", "JAX, states kept", JAX),
    Peer("taichi", "smoke.taichi", "stepwise", "Taichi, kernels a step", TAICHI),
    Peer("torch", "smoke.torch", "eager", "PyTorch, eager", TORCH),
)

WAVE = (
    Peer("us", "wave.rosephys", "scene", "Rosephys", US),
    Peer("c", "wave.c", "expert", "C by hand", GCC),
    Peer("jax", "wave.jax", "reverse", "JAX", JAX),
    Peer("taichi", "wave.taichi", "stepwise", "Taichi, a kernel a step", TAICHI),
    Peer("torch", "wave.torch", "eager", "PyTorch, eager", TORCH),
)


RIGID = (
    Peer("us", "rigid.rosephys", "scene", "Rosephys", US),
    Peer("c", "rigid.c", "expert", "C by hand, arranged for vectors", GCC),
    Peer("c-plain", "rigid.c", "textbook", "C by hand, textbook", GCC),
    Peer("jax", "rigid.jax", "reverse", "JAX", JAX),
    Peer("warp", "rigid.warp", "program", "Warp, one kernel", WARP),
    Peer("taichi", "rigid.taichi", "stepwise", "Taichi, a kernel a step", TAICHI),
    Peer("rose", "rigid.rose", "unrolled", "Rose (npm), WebAssembly", ROSE),
    Peer("rose-demo", "rigid.rose", "demo", "Rose (npm), as in its demonstration", ROSE),
)


MPM = (
    Peer("us", "mpm.rosephys", "scene", "Rosephys", US),
    Peer("c", "mpm.c", "program", "C by hand", GCC),
    Peer("taichi", "mpm.taichi", "program", "Taichi, grid made again", TAICHI),
)

POOL = (
    Peer("us", "pool.rosephys", "known", "Rosephys", US),
    Peer("us-again", "pool.rosephys", "shot", "Rosephys, looked for again", US),
    Peer("c", "pool.c", "kept", "C by hand, times kept", GCC),
    Peer("c-plain", "pool.c", "plain", "C by hand, plain", GCC),
    Peer("jax", "pool.jax", "reverse", "JAX, reverse mode", JAX),
    Peer("jax-forward", "pool.jax", "forward", "JAX, forward mode", JAX),
    Peer("casadi", "pool.casadi", "generated", "CasADi, generated C", CASADI_GCC),
    Peer("casadi-vm", "pool.casadi", "machine", "CasADi, virtual machine", CASADI),
    Peer("warp", "pool.warp", "program", "Warp, one kernel", WARP),
    Peer("taichi", "pool.taichi", "program", "Taichi, one kernel", TAICHI),
    Peer("torch", "pool.torch", "eager", "PyTorch, eager", TORCH),
    Peer("rose", "pool.rose", "", "Rose (npm), WebAssembly", ROSE),
)


def select(peers: tuple[Peer, ...], only: str) -> list[Peer]:
    """The peers of a comma-separated list of words, each the name of one or else of the file of some; all of
    them for ''."""
    names = {peer.name for peer in peers}
    wanted = [word.strip() for word in only.split(",") if word.strip()]
    unknown = sorted(set(wanted) - names - {peer.file for peer in peers})
    if unknown:
        known = sorted(names | {peer.file for peer in peers})
        raise SystemExit(f"no peer {', '.join(unknown)}; there are {', '.join(known)}")
    files = set(wanted) - names
    return [p for p in peers if not wanted or p.name in wanted or p.file in files]
