"""PyTorch, eager, f64: one tracked matrix product a step, and a branch in Python.

A state is one tensor, a row (x, y, vx, vy) a ball, so that moving straight on is a product
with MOVE. All pairs are tested at once, detached; autograd records the colliding ones alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

MOVE = torch.eye(4)
MOVE[2, 0] = MOVE[3, 1] = DT


def incidence(balls: int) -> Tensor:
    """A row a pair, +1 at its first ball and -1 at its second: it makes differences."""
    first, second = torch.triu_indices(balls, balls, 1)
    rows = torch.zeros(len(first), balls)
    rows[torch.arange(len(first)), first] = 1
    rows[torch.arange(len(first)), second] = -1
    return rows


def colliding(pairs: Tensor, ahead: Tensor) -> Tensor:
    """Which pairs touch and approach, in the fewest kernels: each costs microseconds."""
    gap_x, gap_y, speed_x, speed_y = (pairs @ ahead).unbind(1)
    touching = torch.addcmul(gap_x * gap_x, gap_y, gap_y) < DIAMETER**2
    return touching.logical_and_(torch.addcmul(gap_x * speed_x, gap_y, speed_y) < 0)


def collide(pairs: Tensor, ahead: Tensor) -> Tensor:
    gap, speed = (pairs @ ahead).split(2, dim=1)
    distance = torch.linalg.vector_norm(gap, dim=1, keepdim=True)
    normal = gap / (distance + EPSILON)
    approach = (normal * speed).sum(dim=1, keepdim=True)
    impulse = -(1 + RESTITUTION) / 2 * approach * normal
    impact = (distance - DIAMETER) / approach.clamp(max=SLOWEST)
    jump = ((impact - DT).clamp(max=0) + DT) * impulse
    return ahead + pairs.T @ torch.cat([jump, impulse], dim=1)


def eager(table: Table) -> Program:
    pairs, goal = incidence(table.balls), torch.tensor(GOAL)
    start = torch.from_numpy(np.hstack([table.positions(), table.velocities()]))

    def play(cue: Tensor) -> Tensor:
        state = torch.cat([cue[None], start[1:]])
        for _ in range(table.steps):
            state = state @ MOVE
            hits = colliding(pairs, state.detach())
            if hits.any():
                state = collide(pairs[hits], state)
        return torch.sum((state[-1, :2] - goal) ** 2)

    def gradient(cue: Array) -> tuple[float, Array]:
        leaf = torch.tensor(cue, requires_grad=True)
        value = play(leaf)
        value.backward()
        return value.item(), leaf.grad.numpy()

    @torch.no_grad()
    def loss(cue: Array) -> float:
        return play(torch.tensor(cue)).item()

    return Program(gradient, loss)
