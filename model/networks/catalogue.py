"""Which networks there are, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from errors import ModelError
from model.embedding_spec import Preprocessing
from model.networks import osnet, resnet, resnet_vd, siamese
from model.networks.parts import Chain

PERSON_SIZE_WH = (128, 256)
"""Width and height of what person re-identification networks are trained on."""


@dataclass(frozen=True)
class Architecture:
    """A network that can be built at any embedding size.

    Attributes
    ----------
    define : called with ``embedding_size=``, returns its parts and the length of its vectors.
    default_embedding_size : as published; 0: the pooled feature.
    input_size_wh : what it is usually trained on. Every size works.
    """

    define: Callable[..., tuple[Chain, int]]
    default_embedding_size: int
    input_size_wh: tuple[int, int]

    @property
    def preprocessing(self) -> Preprocessing:
        """How crops are usually prepared: resized to that size, normalised by ImageNet's statistics."""
        return Preprocessing(sizes_wh=(self.input_size_wh,))


@dataclass(frozen=True)
class Definition:
    """A network of a given embedding size, before any framework builds it.

    Attributes
    ----------
    name : key of `ARCHITECTURES`.
    embedding_size : width of its last layer; 0: none.
    dimension : length of its vectors.
    """

    name: str
    embedding_size: int
    dimension: int
    parts: Chain


class Defined:
    """What networks of every framework say of themselves.

    Attributes
    ----------
    definition : what they were built from.
    """

    definition: Definition

    @property
    def architecture(self) -> str:
        """Its name in the catalogue."""
        return self.definition.name

    @property
    def embedding_size(self) -> int:
        """Width of its last layer; 0: none."""
        return self.definition.embedding_size

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        return self.definition.dimension


ARCHITECTURES: Mapping[str, Architecture] = {
    **{name: Architecture(partial(resnet_vd.resnet_vd, plan), 0, (128, 128)) for name, plan in resnet_vd.PLANS.items()},
    **{
        name: Architecture(partial(osnet.osnet, plan), osnet.FEATURES, PERSON_SIZE_WH)
        for name, plan in osnet.PLANS.items()
    },
    **{name: Architecture(partial(resnet.resnet50, plan), 0, PERSON_SIZE_WH) for name, plan in resnet.PLANS.items()},
    "siamese_encoder": Architecture(siamese.siamese_encoder, 128, (64, 128)),
}


def plain_name(name: str) -> str:
    """Return a name in small letters, with ``_`` for ``-``."""
    return name.lower().replace("-", "_")


def find_architecture(name: str) -> str:
    """Return the name as `ARCHITECTURES` writes it; small and capital letters and ``-`` for ``_`` do not matter.

    Raises
    ------
    ModelError
        for an unknown name; it lists what is close to it, or everything.
    """
    plain = plain_name(name)
    if plain in ARCHITECTURES:
        return plain
    close = difflib.get_close_matches(plain, ARCHITECTURES, n=4, cutoff=0.6)
    raise ModelError("model.unknown", what="network", name=name, choices=", ".join(close or ARCHITECTURES))


def define_network(name: str, *, embedding_size: int | None = None) -> Definition:
    """Return the definition of a network.

    Parameters
    ----------
    embedding_size : width of the last layer; 0: leave it out, the pooled feature is
        the embedding; None: as published.

    Raises
    ------
    ModelError
        for an unknown name.
    ValueError
        for a negative size.
    """
    name = find_architecture(name)
    architecture = ARCHITECTURES[name]
    size = architecture.default_embedding_size if embedding_size is None else embedding_size
    if size < 0:
        raise ValueError(f"embedding_size must be 0 or more, not {size}")
    parts, dimension = architecture.define(embedding_size=size)
    return Definition(name, size, dimension, parts)
