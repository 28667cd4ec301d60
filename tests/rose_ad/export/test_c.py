"""Functions as C: a program of C's own gives, to the last bit, what they give here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.native.cross import Target, object_file
from tests.support.tools import needs_gcc

STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"]
STEPS = 200
X = np.array([0.3, -0.2])
PROGRAM = """#include <stdio.h>
#include "gradient.h"

static _Alignas(64) unsigned char scratch[gradient_SCRATCH];

int main(void) {
    const double start[2] = {0.3, -0.2};
    double loss, slope[2], by_drag;
    int64_t status = gradient(start, 0.25, 1, &loss, slope, &by_drag, scratch);
    if (status != 0) {
        return 1;
    }
    printf("%a %a %a %a\\n", loss, slope[0], slope[1], by_drag);
    return (int)gradient(start, 0.25, 2, &loss, slope, &by_drag, scratch) - 1;
}
"""


def swing(start: Any, drag: Any, k: Any) -> Any:
    """The end of a damped pendulum: sines, products and sums, and an index that may be out of range."""

    def step(t: Any, s: Any) -> Any:
        v = s[1] - 0.05 * (ra.sin(s[0]) + drag * s[1] ** 3)
        return ra.array([s[0] + 0.05 * v, v])

    return ra.fori_loop(0, STEPS, step, start)[k] ** 2 + ra.exp(-drag)


GRADIENT = ra.value_and_grad(swing, (0, 1))


def built(folder: Path, compiler: str = "gcc", **how: Any) -> Path:
    """The program above, with the gradient in it."""
    ra.export_c({"gradient": GRADIENT}, folder / "gradient.o", X, 0.25, 1, **how)
    (folder / "main.c").write_text(PROGRAM)
    command = [compiler, *STRICT, "main.c", "gradient.o", "-lm", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "main"


def printed(*command: str | Path) -> list[float]:
    """The numbers that a program prints, to the last bit."""
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [float.fromhex(x) for x in ran.stdout.split()]


def expected() -> list[float]:
    value, (slope, drag) = GRADIENT(X, 0.25, 1)
    return [value, *slope, drag]


@needs_gcc
def test_c_gives_what_python_gives_to_the_bit(tmp_path: Path) -> None:
    assert printed(built(tmp_path)) == expected()


@needs_gcc
def test_c_without_its_library_is_near(tmp_path: Path) -> None:
    assert printed(built(tmp_path, libm=False)) == pytest.approx(expected(), rel=1e-13)


CROSS = {"aarch64": "aarch64-linux-gnu", "riscv64": "riscv64-linux-gnu"}


@pytest.mark.parametrize("machine", CROSS)
@pytest.mark.parametrize("libm", [True, False])
def test_other_machines_give_the_same(machine: str, libm: bool, tmp_path: Path) -> None:
    compiler, emulator = f"{CROSS[machine]}-gcc", f"qemu-{machine}"
    for tool in (compiler, emulator):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool} here")
    features = "+m,+a,+f,+d" if machine == "riscv64" else ""
    main = built(tmp_path, compiler, target=CROSS[machine], features=features, libm=libm)
    found = printed(emulator, "-L", f"/usr/{CROSS[machine]}", main)
    assert found == pytest.approx(expected(), rel=1e-12)


MACHINES = {  # the number that ELF has for each
    "x86_64-linux-gnu": 62,
    "aarch64-linux-gnu": 183,
    "riscv64-linux-gnu": 243,
    "riscv32-unknown-elf": 243,
    "thumbv7em-none-eabihf": 40,
}


@pytest.mark.parametrize("target", MACHINES)
def test_objects_are_of_their_machine_and_need_nothing(target: str, tmp_path: Path) -> None:
    cpu = "cortex-m7" if target.startswith("thumb") else ""
    ra.export_c(GRADIENT, tmp_path / "g.o", X, 0.25, 1, target=target, cpu=cpu)
    data = (tmp_path / "g.o").read_bytes()
    assert data[:4] == b"\x7fELF" and int.from_bytes(data[18:20], "little") == MACHINES[target]
    assert not any(f"\0{name}\0".encode() in data for name in ("sin", "exp", "pow", "malloc"))


@needs_gcc
def test_headers_say_shapes_and_names(tmp_path: Path) -> None:
    def f(int: Any, b: Any, flag: Any) -> Any:
        return {"m": ra.outer(int["x y"], b), "any": flag & (b[0] > 0), "k": 3}

    ra.export_c(f, tmp_path / "2 f.o", {"x y": X}, X, True)
    told = (tmp_path / "2 f.h").read_text()
    for part in ("const double int_x_y[2]", "bool flag", "double result_m[4] /* (2, 2) */"):
        assert part in told
    (tmp_path / "main.c").write_text('#include "2 f.h"\nint main(void) { return 0; }\n')
    subprocess.run(["gcc", *STRICT, "-c", "main.c"], cwd=tmp_path, check=True)


LANGUAGES = [("gcc", ["-std=c11", "-pedantic"]), ("gcc", ["-std=gnu17"]), ("g++", ["-xc++"])]


@needs_gcc
@pytest.mark.parametrize(("compiler", "how"), LANGUAGES, ids=["C", "GNU C", "C++"])
def test_arguments_may_have_names_that_c_has(compiler: str, how: list[str], tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler} here")

    def f(
        new: Any, this: Any, linux: Any, int64_t: Any, asm: Any, true: Any, NULL: Any, sin: Any
    ) -> Any:
        return new + this + linux + int64_t + asm + true + NULL + sin

    ra.export_c(f, tmp_path / "f.o", *[1.0] * 8)
    (tmp_path / "main.c").write_text('#include "f.h"\nint main(void) { return 0; }\n')
    command = [compiler, *how, "-Wall", "-Wextra", "-Werror", "-c", "main.c"]
    subprocess.run(command, cwd=tmp_path, check=True)


@needs_gcc
def test_several_functions_lie_in_one_object(tmp_path: Path) -> None:
    ra.export_c({"f0": lambda x: ra.sin(x), "c0": lambda x: x[::-1]}, tmp_path / "two.o", X)
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "two.h"\nint main(void) {\n'
        "  double x[2] = {1, 2}, y[2], z[2]; static _Alignas(64) char s[64];\n"
        '  f0(x, y, s); c0(x, z, s); printf("%a %a %a %a", y[0], y[1], z[0], z[1]); return 0; }\n'
    )
    command = ["gcc", *STRICT, "main.c", "two.o", "-lm", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    wanted = [*ra.fn(ra.sin)(np.array([1.0, 2.0])), 2.0, 1.0]
    assert printed(tmp_path / "main") == wanted


def test_an_unknown_target_is_told(tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match="no target 'pdp-11'"):
        ra.export_c(GRADIENT, tmp_path / "g.o", X, 0.25, 1, target="pdp-11")


TAKEN = [
    "int",
    "double",
    "a b",
    "return",
    "sin",
    "powf",
    "main",
    "malloc",
    "memset",
    "class",
    "int64_t",
    "linux",
]


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_c_cannot_have_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match="no name of a function"):
        ra.export_c({name: GRADIENT}, tmp_path / "g.o", X, 0.25, 1)


def test_objects_are_cached_by_their_target() -> None:
    text = "define double @f(double %x) {\n  ret double %x\n}\n"
    first, second = (object_file([text], Target(t)) for t in ("aarch64-linux-gnu", "wasm32"))
    assert first != second and object_file([text], Target("wasm32")) == second
