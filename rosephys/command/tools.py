"""What may differentiate a function that is certified, by the names that are typed."""

from __future__ import annotations

from typing import Literal

Tool = Literal["rose_ad", "jax", "torch", "value and gradient", "value and vjp"]
TOOLS: dict[str, Tool] = {
    "rose_ad": "rose_ad",
    "jax": "jax",
    "torch": "torch",
    "pair": "value and gradient",
    "vjp": "value and vjp",
}
