"""Diagrams that lay themselves out: say what there is and how it lies to each other.

from rosephys.diagrams import Diagram

d = Diagram()
a, b = d.circle("A"), d.circle("B")
d.overlapping(a, b)
d.layout().svg("venn.svg")
"""

from .diagram import Diagram
from .diagram_scene import DiagramScene
from .errors import DiagramError
from .layout import Layout
from .shapes import Shape
from .style import Style

__all__ = ["Diagram", "DiagramError", "DiagramScene", "Layout", "Shape", "Style"]
