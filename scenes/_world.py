"""A weight falls on one end of a catapult, and the stone on the other is to come to the goal.

Try it: `python -m rosephys scene FILE`, and drag the goal; then `check`, `optimize`, `record`.
"""

from typing import Any

from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, box, circle


class Starter(WorldScene):
    """Throw a stone to the goal: how heavy is the weight, and how far does the arm swing?"""

    optimizer, rate, iterations = "adam", 0.02, 150  # how the commands solve it
    view = (-2.5, -0.3, 6.5, 4.0)  # the part of the plane that is seen

    steps: int = parameter(300, "number of time steps")
    goal: Any = parameter((5.0, 1.5), "where the stone should be", unit="m", handle=True)
    load: float = control(30.0, "of the weight", unit="kg", bounds=(5, 200), rate=20.0)
    swing: float = control(1.2, "of the arm", unit="rad", bounds=(0.5, 2.0))

    def world(self, w: Plan) -> None:
        # What there is, by name. Every number may be a field: masses, lengths, places, friction.
        w.ground()
        w.fixed("post", box(0.1, 1.15), (0.0, 0.575), collides=False, colour="wood")
        arm = w.body("arm", box(2.2, 0.08), (-0.33, 0.974), angle=0.6, mass=4.0)
        w.body("weight", box(0.4, 0.4), arm.point(1.1, -0.25), mass=self.load, collides=False)
        w.body("stone", circle(0.08), arm.point(-1.0, 0.12), mass=0.5, friction=0.0)
        w.body("cup", box(0.05, 0.25), arm.point(-1.125, 0.1), angle=0.6, mass=0.5)
        # What holds it together. Points are where they begin; limits are from the start on.
        w.hinge("pin", "world", "arm", arm.point(0.4, 0.0), (-self.swing, 0.1), 5e3)
        w.hinge("hook", "arm", "weight", arm.point(1.1, 0.0))
        w.weld("end", "arm", "cup")
        # The loss is how far the stone is from here in the end; or write a method loss(self, final).
        w.goal("stone", self.goal)
