"""rosephys: differentiable physics. Describe a scene; simulate, differentiate, optimise and show it.

from rosephys import Problem, find_scene

problem = Problem(find_scene("billiards"))
loss, gradient = problem.value_and_gradient(problem.values)
"""

from .constraint import Constraint
from .errors import OptimizeError, SceneError, SweepError
from .files.notebook import Animation, show
from .files.policies import load_policy, save_policy
from .limit import Limit
from .scene.fields import control, parameter
from .scene.finding import find_scene, scene_names
from .scene.picture import (
    Arrow,
    Circles,
    Cross,
    Ellipses,
    Fluid,
    Image,
    Lines,
    Picture,
    Polygon,
    Polygons,
    Polyline,
    Text,
    Track,
)
from .scene.policies import Linear, Network, Pd
from .scene.scene import Scene
from .scene.spread import log_uniform, normal, uniform
from .solve.ensemble import Ensemble
from .solve.identify import identify
from .solve.measurement import Measurement
from .solve.mpc import Mpc
from .solve.optimize import descend
from .solve.problem import Problem
from .sweeps.kept import load_sweep
from .sweeps.sweep import sweep

__version__ = "0.1.0"

__all__ = [
    "Animation",
    "Arrow",
    "Circles",
    "Constraint",
    "Cross",
    "Ellipses",
    "Ensemble",
    "Fluid",
    "Image",
    "Limit",
    "Linear",
    "Lines",
    "Measurement",
    "Mpc",
    "Network",
    "OptimizeError",
    "Pd",
    "Picture",
    "Polygon",
    "Polygons",
    "Polyline",
    "Problem",
    "Scene",
    "SceneError",
    "SweepError",
    "Text",
    "Track",
    "control",
    "descend",
    "find_scene",
    "identify",
    "load_policy",
    "load_sweep",
    "log_uniform",
    "normal",
    "parameter",
    "save_policy",
    "scene_names",
    "show",
    "sweep",
    "uniform",
]
