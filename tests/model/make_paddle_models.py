"""Write small real Paddle exports; run as a program to write the old format, which is chosen at start.

``FLAGS_enable_pir_api=0 python make_paddle_models.py FOLDER`` writes
``FOLDER/detector.pdmodel`` and ``FOLDER/embedder.pdmodel``; without the flag
they are ``.json``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import paddle
from paddle import nn
from paddle.static import InputSpec


class ScriptedDetector(nn.Layer):
    """Answer each picture with two rows that show what reached the network.

    Row 0: class 0, score = mean of the first channel, the whole picture.
    Row 1: class 2, score = mean of the last channel, its middle half.
    Boxes are in pixels of the picture before resizing: im_shape / scale_factor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = self.create_parameter([1], default_initializer=nn.initializer.Constant(1.0))

    def forward(
        self, image: paddle.Tensor, im_shape: paddle.Tensor, scale_factor: paddle.Tensor
    ) -> tuple[paddle.Tensor, paddle.Tensor]:
        means = nn.functional.adaptive_avg_pool2d(image, 1).flatten(1) * self.gain
        size = im_shape / scale_factor
        height, width, zero = size[:, 0], size[:, 1], size[:, 0] * 0
        whole = paddle.stack([zero, means[:, 0], zero, zero, width, height], axis=1)
        middle = paddle.stack([zero + 2, means[:, 2], width / 4, height / 4, width * 0.75, height * 0.75], axis=1)
        rows = paddle.stack([whole, middle], axis=1).reshape([-1, 6])
        return rows, (zero + 2).astype("int32")


class PooledEmbedder(nn.Layer):
    """Embed a picture by the means of its 2×2 quarters through a fixed layer: (N, 3, H, W) → (N, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(12, 4, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Assign(weights())))

    def forward(self, image: paddle.Tensor) -> paddle.Tensor:
        return self.fc(nn.functional.adaptive_avg_pool2d(image, 2).flatten(1))


def weights() -> paddle.Tensor:
    """Return the (12, 4) weights of `PooledEmbedder`."""
    return paddle.arange(48, dtype="float32").reshape([12, 4]).sin()


def write_models(folder: Path) -> None:
    """Write ``detector`` and ``embedder`` in the format that Paddle was started for."""
    detector, embedder = ScriptedDetector(), PooledEmbedder()
    detector.eval()
    embedder.eval()
    paddle.jit.save(
        detector,
        str(folder / "detector"),
        input_spec=[
            InputSpec([None, 3, None, None], "float32", name="image"),
            InputSpec([None, 2], "float32", name="im_shape"),
            InputSpec([None, 2], "float32", name="scale_factor"),
        ],
    )
    spec = [InputSpec([None, 3, 32, 16], "float32", name="x")]
    paddle.jit.save(embedder, str(folder / "embedder"), input_spec=spec)


if __name__ == "__main__":
    write_models(Path(sys.argv[1]))
