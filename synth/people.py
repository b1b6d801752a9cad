"""Who is rendered: a person's body, clothes, hair and belongings, drawn at random."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]
"""Display values, 0 to 1."""

PATTERNS = ("plain", "stripes", "pinstripes", "checks", "print", "two_tone", "block", "mottled")
HAIR_STYLES = ("short", "bald", "crop", "bob", "long", "bun", "tail")
HATS = ("none", "cap", "beanie", "brim", "hood", "scarf")
TOPS = ("shirt", "sweater", "jacket", "coat", "vest", "dress")
BOTTOMS = ("trousers", "wide", "shorts", "skirt", "long_skirt", "leggings")
BAGS = ("none", "backpack", "shoulder", "handbag", "trolley", "carrier")
ARMS = ("swing", "phone", "pocket", "carry", "folded")


@dataclass(frozen=True, kw_only=True)
class Body:
    """Shape and way of walking.

    Attributes
    ----------
    height_m : stature without shoes and hat.
    girth : 0.8 (slim) to 1.45 (stout); shoulders, hips : factors on their widths; belly : 0 to 1.
    stride : how far the legs swing at a walk, 1 is usual; arm_swing : the same of the arms.
    lean_rad : of the trunk, forwards.
    """

    height_m: float
    girth: float
    shoulders: float
    hips: float
    belly: float
    stride: float
    arm_swing: float
    lean_rad: float
    skin: Rgb


@dataclass(frozen=True, kw_only=True)
class Cloth:
    """A garment's surface.

    Attributes
    ----------
    pattern : one of `PATTERNS`; scale : how fine it is, 1 is usual.
    looseness_m : how far it stands off the body; folds_m : height of its folds.
    """

    colour: Rgb
    second_colour: Rgb
    pattern: str
    scale: float
    looseness_m: float
    folds_m: float


@dataclass(frozen=True, kw_only=True)
class Top:
    """What the upper body wears.

    Attributes
    ----------
    kind : one of `TOPS`.
    sleeve : share of the arm that is covered, 0 to 1.
    hem : where it ends below the waist, as a share of the leg's length.
    opening : half of the angle that a jacket stands open, radians; 0: closed.
    inner : what shows there.
    """

    kind: str
    cloth: Cloth
    sleeve: float
    hem: float
    opening: float
    inner: Cloth


@dataclass(frozen=True, kw_only=True)
class Bottom:
    """What the legs wear; ``length`` is the share of the leg that is covered."""

    kind: str
    cloth: Cloth
    length: float


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that makes a person look like themselves; `sample_person` draws one.

    Attributes
    ----------
    is_left_handed : which side carries the bag and does what ``arm`` says.
    seed : of the folds, mottles and prints, so that they stay from view to view.
    """

    body: Body
    top: Top
    bottom: Bottom
    shoes: Rgb
    socks: Rgb
    hair: Rgb
    hair_style: str
    has_beard: bool
    hat: str
    hat_colour: Rgb
    bag: str
    bag_colour: Rgb
    arm: str
    is_left_handed: bool
    seed: int


_HAIR_COLOURS: tuple[Rgb, ...] = (
    (0.07, 0.06, 0.06),
    (0.16, 0.11, 0.08),
    (0.30, 0.20, 0.13),
    (0.52, 0.39, 0.24),
    (0.72, 0.60, 0.40),
    (0.48, 0.22, 0.12),
    (0.62, 0.60, 0.58),
)
_HAIR_SHARES = (0.3, 0.27, 0.17, 0.08, 0.05, 0.04, 0.09)
_JEANS: tuple[Rgb, ...] = ((0.14, 0.18, 0.28), (0.25, 0.34, 0.48), (0.40, 0.50, 0.63), (0.56, 0.64, 0.74))


def sample_person(rng: np.random.Generator) -> Person:
    """Draw a person; the same state of ``rng`` gives the same one."""
    is_slender = rng.random() < 0.5
    bottom = _sample_bottom(rng, is_slender)
    top = _sample_top(rng, is_slender)
    if top.kind == "dress":
        bottom = Bottom(kind="skirt", cloth=top.cloth, length=top.hem)
    hair = _HAIR_COLOURS[int(rng.choice(len(_HAIR_COLOURS), p=_HAIR_SHARES))]
    long_hair = ("bob", "long", "bun", "tail", "short")
    short_hair = ("short", "crop", "bald", "bob")
    style = str(
        rng.choice(long_hair, p=(0.25, 0.35, 0.13, 0.17, 0.1))
        if is_slender
        else rng.choice(short_hair, p=(0.6, 0.25, 0.1, 0.05))
    )
    hat = str(rng.choice(HATS, p=(0.78, 0.07, 0.05, 0.03, 0.05, 0.02)))
    return Person(
        body=_sample_body(rng, is_slender),
        top=top,
        bottom=bottom,
        shoes=sample_colour(rng, dark=0.6, grey=0.25),
        socks=sample_colour(rng, dark=0.4, grey=0.5),
        hair=_varied(rng, hair, 0.12),
        hair_style=style,
        has_beard=not is_slender and rng.random() < 0.25,
        hat=hat,
        hat_colour=top.cloth.colour if hat == "hood" else sample_colour(rng),
        bag=str(rng.choice(BAGS, p=(0.52, 0.17, 0.13, 0.08, 0.03, 0.07))),
        bag_colour=sample_colour(rng, dark=0.45),
        arm=str(rng.choice(ARMS, p=(0.7, 0.08, 0.1, 0.07, 0.05))),
        is_left_handed=bool(rng.random() < 0.5),
        seed=int(rng.integers(1 << 31)),
    )


def sample_colour(rng: np.random.Generator, *, dark: float = 0.33, grey: float = 0.2) -> Rgb:
    """Draw the colour of a thing made of cloth or leather.

    Parameters
    ----------
    dark, grey : how often it is nearly black, and how often some other grey, white or beige.
    """
    kind = rng.random()
    if kind < dark:
        level = rng.uniform(0.05, 0.25)
        tint = rng.normal(0, 0.018, 3) + rng.choice([0.0, 1.0], p=[0.6, 0.4]) * np.array([-0.015, -0.005, 0.03])
        return _colour(level + tint)
    if kind < dark + grey:
        level = rng.uniform(0.3, 0.95)
        return _colour(level + np.array([0.03, 0.0, -0.05]) * rng.uniform(-0.4, 1.4) + rng.normal(0, 0.01, 3))
    # Hues of wardrobes: blues, reds and browns are common, greens and purples less.
    hue = float(rng.choice([rng.normal(0.6, 0.05), rng.normal(0.01, 0.04), rng.normal(0.09, 0.04), rng.random()]))
    saturation = float(np.clip(rng.beta(2.2, 2.2), 0.12, 0.95))
    value = float(np.clip(rng.beta(2.2, 1.8), 0.14, 0.95))
    return _colour(np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value)))


def _sample_body(rng: np.random.Generator, is_slender: bool) -> Body:
    height = rng.normal(1.65, 0.065) if is_slender else rng.normal(1.77, 0.07)
    skin = np.array([0.93, 0.74, 0.62]) * (1 - 0.62 * rng.beta(1.1, 2.2) * np.array([0.85, 1.0, 1.1]))
    return Body(
        height_m=float(np.clip(height, 1.48, 2.0)),
        girth=float(np.clip(rng.normal(1.0 if is_slender else 1.07, 0.11), 0.8, 1.45)),
        shoulders=float(rng.normal(0.92 if is_slender else 1.03, 0.04)),
        hips=float(rng.normal(1.06 if is_slender else 0.97, 0.05)),
        belly=float(rng.beta(1.2, 3.0)),
        stride=float(rng.uniform(0.6, 1.1)),
        arm_swing=float(rng.uniform(0.3, 1.15)),
        lean_rad=float(rng.normal(0.04, 0.035)),
        skin=_colour(skin + rng.normal(0, 0.012, 3)),
    )


def _sample_cloth(rng: np.random.Generator, colour: Rgb, *, plain: float, looseness_m: float) -> Cloth:
    rest = (1 - plain) * np.array([0.2, 0.1, 0.14, 0.22, 0.1, 0.12, 0.12])
    return Cloth(
        colour=colour,
        second_colour=sample_colour(rng, dark=0.25, grey=0.35),
        pattern=str(rng.choice(PATTERNS, p=(plain, *rest))),
        scale=float(rng.uniform(0.6, 1.7)),
        looseness_m=looseness_m,
        folds_m=float(rng.uniform(0.2, 0.45) * min(looseness_m + 0.006, 0.02)),
    )


def _sample_top(rng: np.random.Generator, is_slender: bool) -> Top:
    kind = str(rng.choice(TOPS, p=(0.3, 0.2, 0.28, 0.12, 0.04, 0.06) if is_slender else (0.3, 0.2, 0.35, 0.1, 0.05, 0)))
    outer = kind in ("jacket", "coat", "vest")
    loose = {"shirt": 0.012, "sweater": 0.018, "jacket": 0.028, "coat": 0.032, "vest": 0.022, "dress": 0.008}[kind]
    cloth = _sample_cloth(
        rng,
        sample_colour(rng, dark=0.45 if outer else 0.25),
        plain=0.62 if outer else 0.55,
        looseness_m=loose * rng.uniform(0.7, 1.5),
    )
    sleeve = {
        "shirt": rng.choice([0.38, 0.45, 0.6, 1.0], p=[0.35, 0.2, 0.1, 0.35]),
        "vest": 0.02,
        "dress": rng.choice([0.05, 0.4, 1.0]),
    }
    hem = {"coat": rng.uniform(0.28, 0.6), "jacket": rng.uniform(0.02, 0.2), "dress": rng.uniform(0.3, 0.85)}
    inner = _sample_cloth(rng, sample_colour(rng, dark=0.25, grey=0.4), plain=0.7, looseness_m=0.01)
    return Top(
        kind=kind,
        cloth=cloth,
        sleeve=float(sleeve.get(kind, 1.0)),
        hem=float(hem.get(kind, rng.uniform(0.02, 0.16))),
        opening=float(rng.uniform(0.12, 0.75)) if outer and rng.random() < 0.45 else 0.0,
        inner=inner,
    )


def _sample_bottom(rng: np.random.Generator, is_slender: bool) -> Bottom:
    kind = str(rng.choice(BOTTOMS, p=(0.5, 0.1, 0.08, 0.13, 0.05, 0.14) if is_slender else (0.74, 0.13, 0.13, 0, 0, 0)))
    if kind in ("trousers", "wide", "shorts") and rng.random() < 0.42:
        colour = _varied(rng, _JEANS[int(rng.integers(len(_JEANS)))], 0.12)
        plain = 0.35  # faded jeans are mottled
    else:
        colour, plain = sample_colour(rng, dark=0.45, grey=0.25), 0.82
    looseness = {"trousers": 0.01, "wide": 0.024, "shorts": 0.022, "skirt": 0.02, "long_skirt": 0.03, "leggings": 0.001}
    cloth = _sample_cloth(rng, colour, plain=plain, looseness_m=looseness[kind] * rng.uniform(0.7, 1.5))
    if plain == 0.35 and cloth.pattern != "plain":
        lighter = tuple(min(1.0, channel * 1.35 + 0.08) for channel in colour)
        cloth = Cloth(
            colour=colour,
            second_colour=(lighter[0], lighter[1], lighter[2]),
            pattern="mottled",
            scale=cloth.scale,
            looseness_m=cloth.looseness_m,
            folds_m=cloth.folds_m,
        )
    covered = {"shorts": rng.uniform(0.38, 0.6), "skirt": rng.uniform(0.34, 0.55), "long_skirt": rng.uniform(0.7, 0.92)}
    return Bottom(kind=kind, cloth=cloth, length=float(covered.get(kind, rng.choice([1.0, 0.93], p=[0.85, 0.15]))))


def _varied(rng: np.random.Generator, colour: Rgb, spread: float) -> Rgb:
    return _colour(np.asarray(colour) * np.exp(rng.normal(0, spread)) + rng.normal(0, 0.012, 3))


def _colour(values: NDArray[np.floating[Any]]) -> Rgb:
    red, green, blue = np.clip(values, 0.02, 0.98).tolist()
    return (red, green, blue)
