"""PyTorch, eager, f64: a loop over the events in Python.

Events are looked for without autograd, all pairs and cushions at once; what autograd sees is the chosen event
alone: its time, the motion of all balls in one tensor, and what it does to one or two of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..program import Array, Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

SIDES = (WIDTH - RADIUS, HEIGHT - RADIUS)
SQUARE = 4 * RADIUS**2
HALF_BOUNCE = (1 + RESTITUTION) / 2 / SQUARE
FAR = np.array(SIDES)[:, None]

# a state is four rows: x, y, vx, vy of the balls


def next_event(state: Array, first: Array, second: Array) -> tuple[int, int]:
    """A ball, and its partner or -1 - axis. In numpy on the tensor's own memory, whose calls cost less."""
    gap_x, gap_y, ux, uy = state[:, first] - state[:, second]
    b = gap_x * ux + gap_y * uy
    c = gap_x * gap_x + gap_y * gap_y - SQUARE
    square = b * b - (ux * ux + uy * uy) * c
    times = np.where((b < 0) & (square > 0), c / (np.sqrt(np.abs(square)) - b), np.inf)
    k = times.argmin()
    speed = state[2:]
    at_sides = (np.where(speed > 0, FAR, RADIUS) - state[:2]) / speed
    at_sides[speed == 0] = np.inf
    m = at_sides.argmin()
    if times[k] < at_sides.flat[m]:
        return int(first[k]), int(second[k])
    axis, ball = divmod(int(m), state.shape[1])
    return ball, -1 - axis


def event(state: Tensor, i: int, j: int) -> Tensor:
    motion, stays = state[2:], torch.zeros(2, state.shape[1])
    if j < 0:
        speed = state[1 - j, i]
        wall = SIDES[-1 - j] if speed.item() > 0 else RADIUS
        time = (wall - state[-1 - j, i]) / speed
        back = torch.ones(4, state.shape[1])
        back[1 - j, i] = -CUSHION
        return torch.addcmul(state, torch.cat([motion, stays]), time) * back
    apart = state[:, i] - state[:, j]
    gap, relative = apart[:2], apart[2:]
    b, c = gap.dot(relative), gap.dot(gap) - SQUARE
    time = c / (torch.sqrt(b * b - relative.dot(relative) * c) - b)
    gap = gap + time * relative
    impulse = HALF_BOUNCE * gap.dot(relative) * gap
    weights = torch.zeros(state.shape[1])
    weights[i], weights[j] = -1, 1
    change = torch.outer(impulse, weights)
    return torch.cat([torch.addcmul(state[:2], motion, time), motion + change])


def eager(job: Job) -> Program:
    first, second = np.triu_indices(job.balls, 1)
    resting = torch.from_numpy(np.vstack([job.positions.T, np.zeros((2, job.balls))]))
    goal = torch.tensor(GOAL)

    def play(cue: Tensor) -> Tensor:
        state = torch.cat([cue[:, None], resting[:, 1:]], dim=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            for _ in range(job.events):
                state = event(state, *next_event(state.detach().numpy(), first, second))
        return torch.sum((state[:2, TARGET] - goal) ** 2)

    def gradient(cue: Array) -> tuple[float, Array]:
        leaf = torch.tensor(cue, requires_grad=True)
        value = play(leaf)
        value.backward()
        return value.item(), leaf.grad.numpy()

    @torch.no_grad()
    def loss(cue: Array) -> float:
        return play(torch.tensor(cue)).item()

    return Program(gradient, loss)
