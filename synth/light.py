"""Light on a rendered scene: one sun or lamp, a sky above and a ground that throws light back.

Shading is done on linear reflectance; `to_display` turns the result into what a camera writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from records import FloatArray

Rgb = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Light:
    """What lights a person or a thing.

    Attributes
    ----------
    to_sun : unit vector to the sun in the frame of a view: x towards the camera
        along the ground, y to the picture's right, z up.
    sun : linear RGB strength of the direct light; 0 on a cloudy day.
    sky : linear RGB strength of the light from above.
    ground : linear RGB strength of the light from below.

    A white surface that faces the sun has the brightness ``sun + sky``; around 1 is a good exposure.
    """

    to_sun: tuple[float, float, float]
    sun: Rgb
    sky: Rgb
    ground: Rgb

    def turned(self, angle_rad: float) -> Light:
        """Return the light as seen after the frame turned by ``angle_rad`` about z, counter-clockwise from above."""
        x, y, z = self.to_sun
        cos, sin = float(np.cos(angle_rad)), float(np.sin(angle_rad))
        return replace(self, to_sun=(cos * x + sin * y, cos * y - sin * x, z))

    def dimmed(self, factor: float) -> Light:
        """Return the light with all its strengths times ``factor``."""
        sun, sky, ground = (
            (red * factor, green * factor, blue * factor) for red, green, blue in (self.sun, self.sky, self.ground)
        )
        return replace(self, sun=sun, sky=sky, ground=ground)


def sample_light(rng: np.random.Generator) -> Light:
    """Draw daylight from noon to evening, from clear to covered, or lamps at night."""
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(18, 75))
    to_sun = (float(np.cos(height) * np.cos(azimuth)), float(np.cos(height) * np.sin(azimuth)), float(np.sin(height)))
    is_clear = rng.random() < 0.45
    direct = rng.uniform(0.5, 1.1) if is_clear else rng.uniform(0, 0.35)
    warmth = rng.uniform(0, 0.14) + 0.12 * max(0.0, 0.6 - float(np.sin(height)))
    diffuse = rng.uniform(0.45, 0.75) if is_clear else rng.uniform(0.6, 1.05)
    coolness = rng.uniform(0, 0.1) if is_clear else rng.uniform(-0.03, 0.05)
    bounce = (diffuse + 0.3 * direct) * rng.uniform(0.3, 0.6)
    return Light(
        to_sun=to_sun,
        sun=(direct * (1 + warmth / 2), direct, direct * (1 - warmth)),
        sky=(diffuse * (1 - coolness), diffuse, diffuse * (1 + coolness)),
        ground=(bounce * 1.05, bounce, bounce * rng.uniform(0.8, 1.0)),
    )


def shade(albedo: FloatArray, normals: FloatArray, light: Light, openness: FloatArray, lit: FloatArray) -> FloatArray:
    """Return the linear RGB that a matt surface sends to the camera.

    Parameters
    ----------
    albedo, normals : (N, 3) linear reflectance and unit normals in the frame of the view.
    openness : (N,) 0 to 1, how much of sky and ground is not hidden (ambient occlusion).
    lit : (N,) 0 to 1, 0 where another part shadows the sun.
    """
    cosines: FloatArray = normals @ np.asarray(light.to_sun, np.float32)
    facing: FloatArray = np.maximum(cosines, np.float32(0)) * lit
    upward = (0.5 + 0.5 * normals[:, 2])[:, None]
    around = upward * np.asarray(light.sky, np.float32) + (1 - upward) * np.asarray(light.ground, np.float32)
    seen = albedo * (facing[:, None] * np.asarray(light.sun, np.float32) + around * openness[:, None])
    return np.asarray(seen, np.float32)


def to_linear(srgb: FloatArray) -> FloatArray:
    """Return linear light for display values 0 to 1 (a plain gamma of 2.2)."""
    result: FloatArray = np.clip(srgb, 0, 1).astype(np.float32) ** np.float32(2.2)
    return result


def to_display(linear: FloatArray) -> FloatArray:
    """Return display values 0 to 1 for linear light; what is brighter than white rolls off softly."""
    rolled = np.where(linear > 0.7, 0.7 + 0.3 * np.tanh((linear - 0.7) / 0.3), linear)
    result: FloatArray = (np.clip(rolled, 0, 1) ** np.float32(1 / 2.2)).astype(np.float32)
    return result
