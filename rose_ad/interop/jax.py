"""Functions of JAX arrays: a callback on the host, with a custom vjp. They work under jit, grad and vmap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..api.function import Fn
from ..api.python_function import as_fn
from ..base.lazy import lazy
from ..base.tree import Structure, flatten, unflatten
from . import missing
from .signatures import array_shape, backward_of, flatten_foreign, leaf_type, specialised

try:
    import jax
    import jax.numpy as jnp
except ModuleNotFoundError as error:
    raise missing("jax") from error


def function(f: Any) -> Callable[..., Any]:
    """`f` on JAX arrays: positional arguments and results are arrays, or structures of them.

    Reverse mode of any order works, and under `vmap` the function is called once for each entry. Forward mode
    (`jax.jvp`, `jax.jacfwd`) is not defined for a callback. Unless JAX is set to 64 bits, doubles are rounded
    to single precision on their way in and out, as all of JAX's.
    """
    return _Callback(as_fn(f))


class _Callback:
    """A function on structures of JAX arrays; for each structure and type of arguments it is made once."""

    def __init__(self, fn: Fn) -> None:
        self.fn, self.__name__, self.__doc__ = fn, fn.__name__, fn.__doc__
        self.made: dict[Any, tuple[Callable[..., Any], Structure]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return function, (self.fn,)  # what was made for JAX is made again

    @lazy
    def backward(self) -> _Callback:
        return _Callback(backward_of(self.fn))

    def __call__(self, *args: Any) -> Any:
        found, structure = flatten_foreign(args, jax.Array)
        leaves = [jnp.asarray(x) for x in found]
        key = (structure, *((x.shape, x.dtype) for x in leaves))
        if key not in self.made:
            self.made[key] = self.make(structure, leaves)
        run, out = self.made[key]
        return unflatten(out, run(*leaves))

    def make(self, structure: Structure, leaves: list[Any]) -> tuple[Callable[..., Any], Structure]:
        """The function on flat leaves, and the structure of its result."""
        special = specialised(self.fn, structure, [leaf_type(x.shape, x.dtype) for x in leaves])
        kinds = [array_shape(r.type) for r in special.ir.results]
        results = [
            jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype))
            for shape, dtype in kinds
        ]

        def host(*arrays: Any) -> list[Any]:
            out = self.fn(*unflatten(structure, [np.asarray(a) for a in arrays]))
            return [np.asarray(a, r.dtype) for a, r in zip(flatten(out)[0], results, strict=True)]

        def run(*arrays: Any) -> Any:
            return jax.pure_callback(host, results, *arrays, vmap_method="sequential")

        def forward(*arrays: Any) -> Any:
            return differentiable(*arrays), arrays  # which an outer grad differentiates again

        def backward(arrays: Any, cotangents: Any) -> Any:
            cts = [
                c if _is_float(r.dtype) else jnp.zeros(r.shape, r.dtype)
                for c, r in zip(cotangents, results, strict=True)
            ]
            primals, ct = unflatten(structure, arrays), unflatten(special.result, cts)
            found, _ = flatten_foreign(self.backward(primals, ct), jax.Array)
            return tuple(
                g.astype(a.dtype) if _is_float(a.dtype) else np.zeros(a.shape, jax.dtypes.float0)
                for g, a in zip(found, arrays, strict=True)
            )

        differentiable = jax.custom_vjp(run)
        differentiable.defvjp(forward, backward)
        return differentiable, special.result


def _is_float(dtype: Any) -> bool:
    return bool(jnp.issubdtype(dtype, jnp.floating))
