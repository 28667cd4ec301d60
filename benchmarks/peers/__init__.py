"""Who takes part. A peer is a command that answers benchmarks/race.py on its pipes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """One row of the table: the function `build` in `module` makes the program."""

    name: str  # what --only takes; `module` selects all its peers
    module: str
    build: str
    label: str
    needs: str  # how to get it

    def command(self, job: str, numbers: tuple[int, ...]) -> list[str]:
        size = [str(n) for n in numbers]
        script = HERE / f"{self.module.replace('.', '/')}.mjs"
        if script.exists():
            return ["node", str(script), *([self.build] if self.build else []), *size]
        return [sys.executable, str(HERE.parent / "worker.py"), self.module, self.build, job, *size]


GCC = "apt install gcc"
ROSE = "Node.js, then npm install rose"
BILLIARDS = (
    Peer("us", "rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c-branch", "c", "branch", "C by hand, tape of collisions", GCC),
    Peer("c-dense", "c", "dense", "C by hand, textbook", GCC),
    Peer("jax", "jax", "reverse", "JAX, reverse mode", "pip install jax"),
    Peer("jax-forward", "jax", "forward", "JAX, forward mode", "pip install jax"),
    Peer("casadi", "casadi", "generated", "CasADi, generated C", f"pip install casadi, {GCC}"),
    Peer("casadi-vm", "casadi", "machine", "CasADi, virtual machine", "pip install casadi"),
    Peer("enzyme", "enzyme", "reverse", "Enzyme, reverse mode", "pip install enzyme-ad absl-py"),
    Peer(
        "enzyme-forward",
        "enzyme",
        "forward",
        "Enzyme, forward mode",
        "pip install enzyme-ad absl-py",
    ),
    Peer("warp", "warp", "program", "Warp, one kernel", "pip install warp-lang"),
    Peer("taichi", "taichi", "fused", "Taichi, one kernel", "pip install taichi"),
    Peer("taichi-steps", "taichi", "stepwise", "Taichi, a kernel a step", "pip install taichi"),
    Peer("torch", "torch", "eager", "PyTorch, eager", "pip install torch"),
    Peer("rose", "rose", "", "Rose (npm), WebAssembly", ROSE),
)


ROBOT = (
    Peer("us", "robot.rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c", "robot.c", "expert", "C by hand, arranged for vectors", GCC),
    Peer("c-plain", "robot.c", "textbook", "C by hand, textbook", GCC),
    Peer("jax", "robot.jax", "reverse", "JAX", "pip install jax"),
    Peer("taichi", "robot.taichi", "stepwise", "Taichi, a kernel a step", "pip install taichi"),
    Peer("rose", "robot.rose", "", "Rose (npm), WebAssembly", ROSE),
    Peer("rose-demo", "robot.rose_demo", "", "Rose (npm), as in its demonstration", ROSE),
)

SMOKE = (
    Peer("us", "smoke.rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c", "smoke.c", "expert", "C by hand", GCC),
    Peer("jax", "smoke.jax", "reverse", "JAX", "pip install jax"),
    Peer("jax-again", "smoke.jax", "checkpointed", "JAX, states kept", "pip install jax"),
    Peer("taichi", "smoke.taichi", "stepwise", "Taichi, kernels a step", "pip install taichi"),
    Peer("torch", "smoke.torch", "eager", "PyTorch, eager", "pip install torch"),
)

WAVE = (
    Peer("us", "wave.rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c", "wave.c", "expert", "C by hand", GCC),
    Peer("jax", "wave.jax", "reverse", "JAX", "pip install jax"),
    Peer("taichi", "wave.taichi", "stepwise", "Taichi, a kernel a step", "pip install taichi"),
    Peer("torch", "wave.torch", "eager", "PyTorch, eager", "pip install torch"),
)


RIGID = (
    Peer("us", "rigid.rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c", "rigid.c", "expert", "C by hand, arranged for vectors", GCC),
    Peer("c-plain", "rigid.c", "textbook", "C by hand, textbook", GCC),
    Peer("jax", "rigid.jax", "reverse", "JAX", "pip install jax"),
    Peer("warp", "rigid.warp", "program", "Warp, one kernel", "pip install warp-lang"),
    Peer("taichi", "rigid.taichi", "stepwise", "Taichi, a kernel a step", "pip install taichi"),
    Peer("rose", "rigid.rose", "unrolled", "Rose (npm), WebAssembly", ROSE),
    Peer("rose-demo", "rigid.rose", "demo", "Rose (npm), as in its demonstration", ROSE),
)


MPM = (
    Peer("us", "mpm.rosephys", "scene", "Rosephys", "pip install -e ."),
    Peer("c", "mpm.c", "program", "C by hand", GCC),
    Peer("taichi", "mpm.taichi", "program", "Taichi, grid made again", "pip install taichi"),
)

POOL = (
    Peer("us", "pool.rosephys", "known", "Rosephys", "pip install -e ."),
    Peer("us-again", "pool.rosephys", "shot", "Rosephys, looked for again", "pip install -e ."),
    Peer("c", "pool.c", "kept", "C by hand, times kept", GCC),
    Peer("c-plain", "pool.c", "plain", "C by hand, plain", GCC),
    Peer("jax", "pool.jax", "reverse", "JAX, reverse mode", "pip install jax"),
    Peer("jax-forward", "pool.jax", "forward", "JAX, forward mode", "pip install jax"),
    Peer("casadi", "pool.casadi", "generated", "CasADi, generated C", f"pip install casadi, {GCC}"),
    Peer("casadi-vm", "pool.casadi", "machine", "CasADi, virtual machine", "pip install casadi"),
    Peer("warp", "pool.warp", "program", "Warp, one kernel", "pip install warp-lang"),
    Peer("taichi", "pool.taichi", "program", "Taichi, one kernel", "pip install taichi"),
    Peer("torch", "pool.torch", "eager", "PyTorch, eager", "pip install torch"),
    Peer("rose", "pool.rose", "", "Rose (npm), WebAssembly", ROSE),
)


def select(peers: tuple[Peer, ...], only: str) -> list[Peer]:
    """The peers of a comma-separated list of names and modules; all of them for ''."""
    wanted = [word.strip() for word in only.split(",") if word.strip()]
    known = {peer.name for peer in peers} | {peer.module for peer in peers}
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise SystemExit(f"no peer {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [p for p in peers if not wanted or p.name in wanted or p.module in wanted]
