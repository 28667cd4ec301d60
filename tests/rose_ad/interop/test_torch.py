"""torch calls what was compiled here, and gets its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.functions import M, Spring, V, potential, stretch


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def tensors(torch: Any, *arrays: Any, dtype: Any = None) -> tuple[Any, ...]:
    return tuple(torch.tensor(a, dtype=dtype or torch.float64, requires_grad=True) for a in arrays)


def test_torch_gives_the_same(torch: Any) -> None:
    f = ra.interop.torch.function(potential)
    x, v = tensors(torch, 0.7, V)
    value, array = f(x, v)
    expected = potential(0.7, V)
    assert value.item() == expected[0] and np.array_equal(array.detach().numpy(), expected[1])
    assert value.shape == () and value.dtype == array.dtype == torch.float64
    (2.0 * value + array.sum()).backward()
    gx, gv = ra.vjp(potential, 0.7, V)[1]((2.0, np.ones(3)))
    assert x.grad.item() == gx and np.array_equal(v.grad.numpy(), gv)


def test_torch_checks_the_gradients(torch: Any) -> None:
    f = ra.interop.torch.function(potential)
    args = tensors(torch, 0.7, V)
    assert torch.autograd.gradcheck(f, args)
    assert torch.autograd.gradgradcheck(f, args)
    rows = ra.interop.torch.function(lambda m: ra.sin(m) * m[0])
    strided = torch.tensor(M).T.contiguous().T.requires_grad_()  # not row by row
    assert not strided.is_contiguous()
    assert torch.autograd.gradcheck(rows, (strided,))
    assert torch.autograd.gradgradcheck(rows, (strided,))


def test_torch_third_derivatives(torch: Any) -> None:
    f = ra.interop.torch.function(lambda x: ra.sin(2.0 * x))
    (x,) = tensors(torch, 0.3)
    y = f(x)
    for scale in (2 * np.cos(0.6), -4 * np.sin(0.6), -8 * np.cos(0.6)):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(scale)


def test_torch_single_precision_integers_and_numbers(torch: Any) -> None:
    f = ra.interop.torch.function(lambda v, k, s: (v * s, v[k], k + 1))
    (v,) = tensors(torch, V, dtype=torch.float32)
    scaled, picked, more = f(v, torch.tensor(2), np.float32(3.0))
    assert scaled.dtype == picked.dtype == torch.float32
    assert more.item() == 3 and not more.requires_grad
    (scaled.sum() + picked).backward()
    assert v.grad.tolist() == [3.0, 3.0, 4.0] and v.grad.dtype == torch.float32


def test_torch_structures_and_declared_types(torch: Any) -> None:
    f = ra.interop.torch.function(stretch)
    k, ends = tensors(torch, 3.0, [0.1, 2.0])
    f(Spring(k, ends), 0.25).backward()
    expected = ra.grad(stretch)(Spring(3.0, np.array([0.1, 2.0])), 0.25)
    assert k.grad.item() == expected.stiffness
    assert np.array_equal(ends.grad.numpy(), expected.ends)
    single = torch.tensor(3.0, requires_grad=True)  # declared Real: widened, its gradient narrowed
    f(Spring(single, ends.detach()), 0.25).backward()
    assert single.grad.item() == np.float32(expected.stiffness)


def test_torch_arguments_are_not_copied(torch: Any) -> None:
    seen: list[int] = []

    class Spy(ra.Fn):
        def __call__(self, *args: Any) -> Any:
            seen.append(args[0].ctypes.data)
            return potential(1.0, args[0])

    v = torch.tensor(V)
    ra.interop.torch.function(Spy("spy"))(v)
    assert seen == [v.data_ptr()]


def test_torch_tensors_elsewhere_are_refused(torch: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match=r"x\.cpu\(\)"):
        ra.interop.torch.function(potential)(1.0, torch.zeros(3, device="meta"))


def test_torch_learns(torch: Any) -> None:
    loss = ra.interop.torch.function(lambda w, x, y: ra.mean((ra.matmul(x, w) - y) ** 2))
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 3))
    x, y = torch.tensor(data), torch.tensor(data @ V)
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w])

    def closure() -> Any:
        optimiser.zero_grad()
        found = loss(w, x, y)
        found.backward()
        return found

    optimiser.step(closure)
    assert w.detach().numpy() == pytest.approx(V, abs=1e-4)
