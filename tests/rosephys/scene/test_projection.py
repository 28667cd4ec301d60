"""The camera that draws space: where points lie, and which faces are seen."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.rigid.body3d import BOX_CORNERS, BOX_FACES
from rosephys.scene.finding import find_scene
from rosephys.scene.picture import Polygons
from rosephys.scene.projection import Camera
from rosephys.solve.problem import Problem


def test_axes_are_orthonormal_and_point_as_they_are_named() -> None:
    right, up, toward = axes = Camera(-65.0, 24.0).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(np.cross(right, up), toward, atol=1e-15)
    assert right[2] == 0 and up[2] > 0 and toward[2] == pytest.approx(np.sin(np.radians(24)))
    np.testing.assert_allclose(Camera(-90.0, 0.0).place(np.array([1.0, 7.0, 2.0])), (1.0, 2.0))


def test_a_place_is_found_on_the_floor() -> None:
    camera, point = Camera(-40.0, 30.0), np.array([0.3, -1.2, 0.0])
    np.testing.assert_allclose(camera.on_floor(camera.place(point)), point, atol=1e-14)


def test_three_faces_of_a_box_are_seen() -> None:
    camera = Camera(-50.0, 20.0)
    box = ra.fn(lambda faces: camera.solid(faces, "accent"))(BOX_CORNERS[BOX_FACES])
    seen = np.isfinite(box.points).all(axis=(1, 2))
    # x = 1, y = -1 and z = 1 face an eye at azimuth -50° and above; they are the nearest
    np.testing.assert_array_equal(seen, [False, False, False, True, True, True])
    centres = box.points[3:].mean(axis=1)
    expected = camera.place(np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]))
    np.testing.assert_allclose(centres, expected, atol=1e-15)
    assert box.levels[3] == box.levels.max()  # the light comes from above


def test_the_nearest_part_of_a_sheet_is_drawn_last() -> None:
    near, far = np.array([[[0.0, y, 0], [1, y, 0], [1, y, 1], [0, y, 1]] for y in (-1.0, 2.0)])
    camera = Camera(-90.0, 0.0)
    assert camera.axes[2] @ near[0] > camera.axes[2] @ far[0]
    sheet = ra.fn(lambda faces: camera.sheet(faces, "accent"))(np.stack([near, far]))
    np.testing.assert_allclose(sheet.points[1], near[:, [0, 2]], atol=1e-15)


def test_the_wheel_of_the_gyroscope_shows_one_side() -> None:
    problem = Problem(find_scene("gyroscope", {"steps": 10}))
    picture = problem.picture(problem.trajectory(problem.values), 5, problem.values)
    band, *caps = (s for s in picture.shapes if isinstance(s, Polygons))
    assert len(caps) == 2 and np.isfinite(band.points).any()
    for cap in caps:
        seen = np.isfinite(cap.points).all(axis=(1, 2))
        assert seen.sum() == 6 and np.ptp(cap.levels[seen]) < 1e-12
