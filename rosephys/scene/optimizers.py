"""The optimisers by name: what a step of each is, what it needs and suits, and where it comes from.

A scene says by name which it prefers; the optimisers themselves are in rosephys/solve/, a file each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Extra = Literal["", "scipy", "cma"]


@dataclass(frozen=True)
class Optimizer:
    """What there is to know of an optimiser before it is taken.

    `needs` is what a scene must have, `extra` the further package.
    Only where `constraints` is true does it keep those; all keep bounds of controls. One that is `scheduled`
    takes a schedule of its rate.
    """

    name: str
    step: str
    suits: str
    source: str
    needs: str = ""
    extra: Extra = ""
    constraints: bool = False
    scheduled: bool = False


_ROWS = (
    Optimizer(
        "gd",
        "the rate times the gradient",
        "you repeat what others published",
        "Cauchy 1847",
        scheduled=True,
    ),
    Optimizer(
        "momentum",
        "the rate times a sum of gradients, of which the older count for less",
        "the loss is a long valley, and smooth",
        "Polyak 1964",
        scheduled=True,
    ),
    Optimizer(
        "normalized",
        "of one length, along the gradient",
        "the slope says little about how far to go: contacts, plateaus",
        "Nesterov 1984",
        scheduled=True,
    ),
    Optimizer(
        "adam",
        "the gradient over its own recent size, each number for itself",
        "you do not know; controls of different sizes; noise and small jumps",
        "Kingma, Ba 2015",
        scheduled=True,
    ),
    Optimizer(
        "lbfgs",
        "quasi-Newton, with a search along it (by SciPy, if it is installed)",
        "the loss is smooth, and you want many digits",
        "Byrd, Lu, Nocedal, Zhu 1995",
    ),
    Optimizer(
        "newton-cg",
        "Newton's, by products with the exact second derivatives, in a region of trust",
        "the loss is smooth and badly scaled; many controls",
        "Steihaug 1983",
    ),
    Optimizer(
        "slsqp",
        "the minimum of a quadratic model under constraints made linear",
        "constraints, and at most some hundred numbers in the controls",
        "Kraft 1988",
        extra="scipy",
        constraints=True,
    ),
    Optimizer(
        "trust-constr",
        "an interior point's, by exact second derivatives, in a region of trust",
        "constraints that slsqp fails at",
        "Byrd, Hribar, Nocedal 1999",
        extra="scipy",
        constraints=True,
    ),
    Optimizer(
        "augmented-lagrangian",
        "a descent by L-BFGS, then new multipliers of the constraints",
        "constraints, many controls and steps",
        "Hestenes 1969; Powell 1969",
        constraints=True,
    ),
    Optimizer(
        "gauss-newton",
        "to the minimum of the residuals made linear, with a search along it",
        "a loss of residuals that become small, and few controls",
        "Gauss 1809",
        needs="residuals",
    ),
    Optimizer(
        "levenberg-marquardt",
        "the same, shortened by a damping that follows its success",
        "the same far from the solution, or with controls that cannot be told apart",
        "Levenberg 1944; Marquardt 1963; Moré 1978",
        needs="residuals",
    ),
    Optimizer(
        "ilqr",
        "a sweep back with the dynamics made linear, a run forth with its feedback",
        "controls of each step, and costs that are squares",
        "Li, Todorov 2004; Tassa, Mansard, Todorov 2014",
        needs="stages",
        constraints=True,
    ),
    Optimizer(
        "ddp",
        "the same with the second derivatives of the dynamics",
        "the same, and many digits; other costs",
        "Jacobson, Mayne 1970; Tassa, Mansard, Todorov 2014",
        needs="stages",
        constraints=True,
    ),
    Optimizer(
        "multiple-shooting",
        "Newton's in all states and controls at once; the steps meet at the end",
        "the same, and the motion is unstable",
        "Bock, Plitt 1984; Giftthaler et al. 2018",
        needs="stages",
        constraints=True,
    ),
    Optimizer(
        "smoothed",
        "adam's, along the gradient of the loss that noise in the controls smooths",
        "losses that jump or are flat in places, as where contacts are missed",
        "Duchi, Bartlett, Wainwright 2012; Suh et al. 2022",
        scheduled=True,
    ),
    Optimizer(
        "multi-start",
        "of many controls, drawn far and near, side by side: the best, their children, Adam, L-BFGS",
        "many valleys, contacts that are missed; it needs a hundred evaluations of each start",
        "Rinnooy Kan, Timmer 1987; Beyer, Schwefel 2002",
    ),
    Optimizer(
        "cma-es",
        "the best of random controls, whose spread is adapted",
        "losses that jump, and few controls; it uses no gradient",
        "Hansen, Ostermeier 2001",
        extra="cma",
    ),
    Optimizer(
        "cma-gradient",
        "the same, and from the best of each draw some steps of L-BFGS",
        "many valleys, each of them smooth, and few controls",
        "Hansen 2011",
        extra="cma",
    ),
)

OPTIMIZERS = {row.name: row for row in _ROWS}
COMMON = ("gd", "normalized", "adam", "lbfgs")  # of which the window has room to offer a choice
CONSTRAINED = ("slsqp", "trust-constr", "augmented-lagrangian")  # the same under constraints


def offered(preferred: str, constrained: bool) -> tuple[str, ...]:
    """The optimisers that the window offers: those that are common for such a scene, and what it prefers."""
    names = CONSTRAINED if constrained else COMMON
    return names if preferred in names else (*names, preferred)
