"""The examples of the documentation run, and what they claim is so."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem

DOCS = Path(__file__).parents[2] / "docs"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dual_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    m = example("dual_numbers")
    assert m.main() < 1e-13
    assert "e^x sin x" in capsys.readouterr().out
    assert len(m.taylor(m.spiral, 0.7, 5)) == 6


def test_a_taylor_polynomial_of_order_five_is_off_by_the_sixth_power() -> None:
    m = example("dual_numbers")
    c = m.taylor(m.geometric, 0.2, 5)
    errors = [
        abs(sum(ck * h**k for k, ck in enumerate(c)) - m.geometric(0.2 + h)) for h in (0.01, 0.02)
    ]
    assert 2**6 < errors[1] / errors[0] < 1.1 * 2**6


def test_fit_formula(capsys: pytest.CaptureFixture[str]) -> None:
    m = example("fit_formula")
    found, errors, counts = m.main()
    table = capsys.readouterr().out
    assert all(name in table for name in m.NAMES)
    assert np.all(np.abs(found - m.TRUTH) < 4 * errors)
    assert np.all(errors < 0.2 * found)
    _, gradient = m.value_and_gradient(found, counts)
    assert np.all(np.abs(gradient * errors) < 1e-6)  # a minimum
    # the number of events is fitted exactly: a property of the extended likelihood
    expected = m.WIDTH * sum(float(ra.fn(m.formula)(found, x)) for x in m.CENTRES)
    assert expected == pytest.approx(counts.sum(), rel=1e-6)


def test_errors_of_the_fit_are_where_the_likelihood_has_risen_by_a_half() -> None:
    """Along the direction in which one parameter's error is taken, to the accuracy of a parabola."""
    m = example("fit_formula")
    found, errors, counts = m.main()
    covariance = np.linalg.inv(m.hessian(found, counts))
    least = float(m.negative_log_likelihood(found, counts))
    for k in range(len(found)):
        away = found + 0.1 * covariance[k] / errors[k]
        assert float(m.negative_log_likelihood(away, counts)) - least == pytest.approx(
            0.5 * 0.1**2, rel=0.1
        )


def test_predictive_coding(capsys: pytest.CaptureFixture[str]) -> None:
    m = example("predictive_coding")
    worst, losses = m.main()
    assert "epoch" in capsys.readouterr().out
    assert worst < 1e-12
    assert losses[0] > 0.4
    assert losses[-1] < 1e-6


def test_predictive_coding_is_exact_at_the_prescribed_steps_alone() -> None:
    """The gradient of a layer's energy is that of backpropagation t steps below the output at step t only."""
    m = example("predictive_coding")
    weights = m.initial_weights(np.random.default_rng(0))
    x, y = np.array([0.3, -0.4, 1.0]), np.array([0.7])
    exact = m.backpropagated(weights, x, y)
    values = [x]
    for w in weights:
        values.append(m.predicted(w, values[-1]))
    values[-1] = y
    for t in range(3):
        local = [
            m.local_gradients(*layer) for layer in zip(weights, values, values[1:], strict=False)
        ]
        off = [np.abs(g[0] - e).max() for g, e in zip(local, exact, strict=True)]
        assert [error < 1e-12 for error in off] == [t == 2, t == 1, t == 0]
        assert all(error < 1e-12 or error > 1e-4 for error in off)
        for k in (1, 2):
            values[k] = values[k] - local[k - 1][2] - local[k][1]


# ------------------------------------------------------------------------------------- documents


def blocks(document: str) -> list[Any]:
    text = (DOCS / document).read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL)
    assert found
    return [pytest.param(*pair, id=f"{document}-{k}") for k, pair in enumerate(found)]


@pytest.mark.parametrize(
    ("code", "output"), blocks("checking.md") + blocks("choosing_a_contact_model.md")
)
def test_documents_show_what_their_code_prints(
    code: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "example.py"  # a file, so that reports can show its lines
    path.write_text(code, encoding="utf-8")
    exec(compile(code, path, "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out.replace(str(path), "example.py")
    assert words(printed) == words(output)


def words(text: str) -> list[str]:
    """Without the carets, which Python 3.10 has no columns for."""
    return [word for word in text.split() if word.strip("^")]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_memory_is_what_was_stated() -> None:
    call = "import memory; print(*memory.measured(memory.ALL, 60)[:3])"
    path = os.pathsep.join([str(DOCS / "examples"), str(DOCS.parent)])
    run = subprocess.run(
        [sys.executable, "-c", call],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    stated, measured, peak = map(int, run.stdout.split())
    assert stated > 60 * 3 * 8 * 110**2 and peak > measured
    assert abs(measured - stated) < 0.01 * stated


def test_the_page_has_the_table_of_optimisers() -> None:
    m = example("optimizers")
    page = m.PAGE.read_text(encoding="utf-8")
    assert page.partition(m.BEGIN)[2].partition(m.END)[0] == m.table()


@pytest.mark.parametrize("optimizer", ["gauss-newton", "ilqr", "multi-start"])
def test_the_valley_of_all_optimisers_is_gone_through(optimizer: str) -> None:
    shown = example("solvers")
    found = shown.way(Problem(shown.Valley()), optimizer)
    assert found[-1].loss < shown.ENOUGH and len(found) < shown.MOST
    assert (DOCS / "solvers.png").read_bytes()[:4] == b"\x89PNG"


def test_the_gradients_of_the_figure_point_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "examples"))
    m = example("choosing")
    true = np.array([(m.CASE.exact(h + 1e-30j) / 1e-30).imag for h in m.MARKS])
    off = {rule: np.abs(m.after(rule, m.MARKS)[1] - true).max() for rule in m.KINDS}
    assert off["toi-velocity"] < 0.1 < 0.3 < off["naive"] < off["compliant"]
