"""What networks are made of, as data, and the one forward pass over it.

A network is a tree of frozen parts. Leaves (`Conv`, `BatchNorm`, …) are layers
that both frameworks have; each framework makes them in one function
(`torch_network`, `paddle_network`). The others (`Chain`, `Residual`, …) say how
values flow and are run by `forward`, which both frameworks share.

A child with a name becomes a module of that name and so gives its tensors their
names; one without lends its children to the module that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True)
class Conv:
    """Convolution (N, channels, H, W) → (N, filters, h, w), padded by (kernel − 1) / 2."""

    channels: int
    filters: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    has_bias: bool = False

    @property
    def padding(self) -> int:
        """Pixels added on each side."""
        return (self.kernel - 1) // 2


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation of pictures, ε 1e-5; running statistics move by a tenth."""

    channels: int


@dataclass(frozen=True)
class VectorBatchNorm:
    """Batch normalisation of vectors (N, channels)."""

    channels: int


@dataclass(frozen=True)
class InstanceNorm:
    """Normalisation of each channel of each picture by itself, with scale and shift, ε 1e-5."""

    channels: int


@dataclass(frozen=True)
class Linear:
    """Fully connected layer (N, channels) → (N, features)."""

    channels: int
    features: int


@dataclass(frozen=True)
class MaxPool:
    """Largest of kernel × kernel pixels; ``is_ceil`` keeps what is left over at the border."""

    kernel: int
    stride: int
    padding: int = 0
    is_ceil: bool = False


@dataclass(frozen=True)
class AvgPool:
    """Mean of kernel × kernel pixels; at a border that is kept, of those there are."""

    kernel: int
    is_ceil: bool = False


@dataclass(frozen=True)
class GlobalPool:
    """Mean of all pixels: (N, C, H, W) → (N, C, 1, 1)."""


@dataclass(frozen=True)
class Flatten:
    """(N, C, 1, 1) → (N, C)."""


@dataclass(frozen=True)
class Relu:
    """max(0, x)."""


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + e^−x)."""


@dataclass(frozen=True)
class UnitLength:
    """x / ‖x‖ of vectors (N, D)."""


@dataclass(frozen=True)
class Chain:
    """One child after another."""

    children: Children


@dataclass(frozen=True)
class Residual:
    """after(branch(x) + shortcut(x)); an empty shortcut hands x on."""

    branch: Children
    shortcut: Children
    after: Children


@dataclass(frozen=True)
class GatedStreams:
    """Σ gate(s(x)) · s(x) over the streams s, which share one gate."""

    streams: Children
    gate: tuple[str, Part]


@dataclass(frozen=True)
class ChannelSplit:
    """``first`` of the channels before ``at``, ``second`` of the others, side by side again."""

    at: int
    first: tuple[str, Part]
    second: tuple[str, Part]


Leaf: TypeAlias = (
    Conv
    | BatchNorm
    | VectorBatchNorm
    | InstanceNorm
    | Linear
    | MaxPool
    | AvgPool
    | GlobalPool
    | Flatten
    | Relu
    | Sigmoid
    | UnitLength
)
Composite: TypeAlias = Chain | Residual | GatedStreams | ChannelSplit
Part: TypeAlias = Leaf | Composite
Children: TypeAlias = tuple[tuple[str, Part], ...]

COMPOSITES = (Chain, Residual, GatedStreams, ChannelSplit)


class Owner(Protocol):
    """A module of a framework that holds the named children of a composite."""

    def child(self, name: str) -> Any:
        """Return the module of that name."""

    def concat(self, tensors: list[Any]) -> Any:
        """Join (N, C, H, W) tensors along their channels."""


def named(**children: Part) -> Children:
    """Return children by name, in the order given."""
    return tuple(children.items())


def chain(**children: Part) -> Chain:
    """Return a chain of children by name."""
    return Chain(tuple(children.items()))


def numbered(*parts: Part) -> Chain:
    """Return a chain of children named 0, 1, 2, …"""
    return Chain(tuple((str(index), part) for index, part in enumerate(parts)))


def children_of(part: Composite) -> Children:
    """Return a composite's direct children; unnamed ones have the name ''."""
    if isinstance(part, Chain):
        return part.children
    if isinstance(part, Residual):
        return (*part.branch, *part.shortcut, *part.after)
    if isinstance(part, GatedStreams):
        return (*part.streams, part.gate)
    return (part.first, part.second)


def named_children(part: Composite) -> Iterator[tuple[str, Part]]:
    """Yield the children that become modules, those of unnamed composites among them."""
    for name, child in children_of(part):
        if name:
            yield name, child
        elif isinstance(child, COMPOSITES):
            yield from named_children(child)
        else:
            raise ValueError(f"a leaf needs a name, {child} has none")


def named_leaves(part: Composite, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield every leaf with its full name, e.g. ``blocks.0.conv1.bn``."""
    for name, child in named_children(part):
        if isinstance(child, COMPOSITES):
            yield from named_leaves(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def forward(owner: Owner, part: Composite, x: Any) -> Any:
    """Run a composite whose named children ``owner`` holds."""
    if isinstance(part, Chain):
        return _run(owner, part.children, x)
    if isinstance(part, Residual):
        return _run(owner, part.after, _run(owner, part.branch, x) + _run(owner, part.shortcut, x))
    if isinstance(part, GatedStreams):
        total: Any = None
        for stream in part.streams:
            y = _run(owner, (stream,), x)
            gated = y * _run(owner, (part.gate,), y)
            total = gated if total is None else total + gated
        return total
    first = _run(owner, (part.first,), x[:, : part.at])
    return owner.concat([first, _run(owner, (part.second,), x[:, part.at :])])


def _run(owner: Owner, children: Children, x: Any) -> Any:
    for name, child in children:
        x = owner.child(name)(x) if name else forward(owner, child, x)  # type: ignore[arg-type]  # unnamed: composite
    return x
