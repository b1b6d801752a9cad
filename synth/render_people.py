"""Draw a person as a camera sees them.

NumPy on one core draws some thousands of people of 110 pixels a minute; there is no GPU path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth.light import Light
from synth.people import Person
from synth.render_people_body import body_surfaces
from synth.render_people_pose import walk
from synth.render_people_things import carried_surfaces
from synth.render_surfaces import Lens, Sprite, oversampling, render_surface
from synth.surfaces import joined

__all__ = ["Sprite", "View", "render_person"]

_POINTS_A_PIXEL = 1.3


@dataclass(frozen=True, kw_only=True)
class View:
    """How a person is seen.

    Attributes
    ----------
    heading_rad : where they walk: 0 towards the camera, π/2 to the picture's right, π away.
    pitch_rad : how far the camera looks down on them, 0 is level.
    gait_phase_rad : 0 and 2π where the left heel strikes the ground; a double step in between.
    height_px : what a metre takes at their place, times their height; from above they look shorter.
    distance_m : of the camera.
    stride : 1 walks at their own pace, 0 stands.
    """

    heading_rad: float
    pitch_rad: float
    gait_phase_rad: float
    light: Light
    height_px: float
    distance_m: float = 12.0
    stride: float = 1.0

    def __post_init__(self) -> None:
        if not 8 <= self.height_px <= 1200:
            raise ValueError(f"height_px must lie in 8 to 1200, not {self.height_px}")
        if not -0.6 <= self.pitch_rad <= 1.45:
            raise ValueError(f"pitch_rad must lie in -0.6 to 1.45, not {self.pitch_rad}")
        if self.distance_m < 2.5:
            raise ValueError(f"distance_m must be 2.5 or more, not {self.distance_m}")


def render_person(person: Person, view: View, rng: np.random.Generator) -> Sprite:
    """Draw a person.

    Parameters
    ----------
    rng : for what changes by the moment (the turn of the head); everything else is the person's own.

    Returns
    -------
    the sprite; its ``anchor_xy`` is the point on the ground below the pelvis.
    """
    lens = Lens(
        pitch_rad=view.pitch_rad,
        distance_m=view.distance_m,
        px_per_m=view.height_px / person.body.height_m,
        heading_rad=view.heading_rad,
    )
    points_per_m = _POINTS_A_PIXEL * lens.px_per_m * oversampling(lens.px_per_m)
    pose = walk(person, view.gait_phase_rad, stride=view.stride, head_turn_rad=float(rng.normal(0, 0.25)))
    surfaces = body_surfaces(person, pose, points_per_m) + carried_surfaces(person, pose, points_per_m)
    return render_surface(joined(surfaces), lens, view.light)
