r"""Configurations of a model, and the way from one to another.

q has a quaternion for each ball and free joint, which has one number more than the joint has degrees of
freedom. `integrate` follows speeds v for a time of 1, each quaternion by the exponential map, r exp(v / 2),
so that it stays unit; `difference` is its inverse, with turns of at most π. A derivative by q is one by d at
d = 0 of integrate(model, q, d).

Source: Solà, Deray, Atchuthan, *A micro Lie theory for state estimation in robotics*, 2018, §III and appendix
B.
"""

from __future__ import annotations

from collections.abc import Callable

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, SpaceVector
from ..rigid.body3d import Quaternion, product
from .kinematics import Configuration, Speeds
from .model import Model

SMALL = 1e-8  # of a squared angle, below which a series is exact to rounding


@ra.fn
def exponential(a: SpaceVector) -> Quaternion:
    """The unit quaternion (4,) of a turn by the vector a (3,), in radians."""
    square = ra.dot(a, a)
    small = square < SMALL
    angle = ra.sqrt(ra.where(small, 1.0, square))
    w = ra.where(small, 1.0 - square / 8, ra.cos(0.5 * angle))
    s = ra.where(small, 0.5 - square / 48, ra.sin(0.5 * angle) / angle)
    return ra.array([w, s * a[0], s * a[1], s * a[2]])


@ra.fn
def logarithm(q: Quaternion) -> SpaceVector:
    """The vector (3,) of the turn of a unit quaternion, of length π at most."""
    part = ra.where(q[0] < 0.0, -1.0, 1.0) * q
    square = ra.dot(part[1:], part[1:])
    small = square < SMALL
    sine = ra.sqrt(ra.where(small, 1.0, square))
    scale = ra.where(small, 2.0 + square / 3, 2.0 * ra.atan2(sine, part[0]) / sine)
    return scale * part[1:]


@ra.fn
def _swung(q: Quaternion, by: SpaceVector) -> Quaternion:
    turned = product(q, exponential(by))
    return turned / ra.norm(turned)


@ra.fn
def _from(q: Quaternion, to: Quaternion) -> SpaceVector:
    w, x, y, z = q
    turn = product(ra.array([w, -x, -y, -z]), to)
    return logarithm(turn / ra.norm(turn))


@ra.fn
def _onward(by: SpaceVector, v: SpaceVector) -> SpaceVector:
    once = ra.cross(by, v)
    return v + 0.5 * once + ra.cross(by, once) / 12


def _each(
    model: Model, plain: Callable[[slice, slice], Array], ball: Callable[[slice, slice], Array]
) -> Array:
    """What is made of each node's numbers in q and in v, joined."""
    nodes = [node for node in model.tree.nodes if node.motion != "still"]
    return ra.concat([(ball if n.motion == "ball" else plain)(n.q, n.v) for n in nodes])


@checked
@ra.fn
def integrate(model: Model, q: Configuration, v: Speeds) -> Array:
    """The configuration (nq,) after speeds v (nv,) for a time of 1: give dt v for a time dt."""
    return _each(model, lambda at, of: q[at] + v[of], lambda at, of: _swung(q[at], v[of]))


@checked
@ra.fn
def difference(model: Model, q: Configuration, to: Configuration) -> Array:
    """The speeds (nv,) that lead from q to another configuration in a time of 1."""
    return _each(model, lambda at, _: to[at] - q[at], lambda at, _: _from(q[at], to[at]))


def onward(model: Model, by: Array, v: Array) -> Array:
    """The rate (nv,) at which d of integrate(model, q, d) changes at d = `by`, when the speeds are v there;
    to third order in d, as a step of order 4 asks."""
    return _each(model, lambda _, of: v[of], lambda _, of: _onward(by[of], v[of]))
