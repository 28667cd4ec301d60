"""Functions of torch tensors on the CPU, differentiated by torch's autograd through their own vjp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..api.function import Fn
from ..api.python_function import as_fn
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import Structure, flatten, unflatten
from . import missing
from .signatures import backward_of, flatten_foreign

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch") from error


def function(f: Any) -> Callable[..., Any]:
    """`f` on torch tensors: positional arguments and results are tensors, or structures of them.

    Tensors are not copied where they are contiguous. Derivatives of any order flow through float32 and float64
    tensors; other tensors, and numbers, have none. TypeMismatch for a tensor that is not on the CPU.
    """
    fn = as_fn(f)

    def on_tensors(*args: Any) -> Any:
        return _call(fn, args)

    on_tensors.__name__, on_tensors.__doc__ = fn.__name__, fn.__doc__
    return on_tensors


def _call(fn: Fn, args: tuple[Any, ...]) -> Any:
    leaves, structure = flatten_foreign(args, torch.Tensor)
    for x in leaves:
        if isinstance(x, torch.Tensor) and x.device.type != "cpu":
            raise TypeMismatch(
                f"{fn.__name__} runs on the CPU, but was given a tensor on {x.device}",
                here(),
                "x.cpu()",
            )
    found: list[Structure] = []
    outs = _Call.apply(fn, structure, found, *leaves)
    return unflatten(found[0], outs)


class _Call(torch.autograd.Function):  # type: ignore[misc]
    """One call on flat leaves; `found` receives the structure of the result."""

    @staticmethod
    def forward(
        ctx: Any, fn: Fn, structure: Structure, found: list[Structure], *leaves: Any
    ) -> Any:
        tensors = [x if isinstance(x, torch.Tensor) else None for x in leaves]
        ctx.save_for_backward(*tensors)
        ctx.leaves = [None if isinstance(x, torch.Tensor) else x for x in leaves]
        arrays = [x.numpy(force=True) if isinstance(x, torch.Tensor) else x for x in leaves]
        results, out = flatten(fn(*unflatten(structure, arrays)))
        outs = tuple(torch.from_numpy(np.asarray(r)) for r in results)
        ctx.mark_non_differentiable(*(o for o in outs if not o.is_floating_point()))
        ctx.fn, ctx.structure, ctx.out = fn, structure, out
        found.append(out)
        return outs

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        leaves = [
            other if saved is None else saved
            for saved, other in zip(ctx.saved_tensors, ctx.leaves, strict=True)
        ]
        primals, ct = unflatten(ctx.structure, leaves), unflatten(ctx.out, cotangents)
        found, _ = flatten_foreign(_call(backward_of(ctx.fn), (primals, ct)), torch.Tensor)
        wanted = [isinstance(x, torch.Tensor) and x.is_floating_point() for x in leaves]
        gradients = [
            g.to(x.dtype) if w else None for g, x, w in zip(found, leaves, wanted, strict=True)
        ]
        return None, None, None, *gradients
