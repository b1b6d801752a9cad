"""Training in Paddle. Importing this file imports Paddle; others do so inside the function that needs it."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle import nn

from records import FloatArray
from reid.losses.build import build_loss
from reid.training.batches import Batch
from reid.training.learners import Arrays, check_state, describe_terms
from reid.training.recipes import Optimizer, Recipe


class PaddleLearner:
    """A network in training; see `learners.Learner`.

    Parameters
    ----------
    network : (N, 3, H, W) → (N, D).
    dimension : D.
    class_count : identities in the training data.
    device : ``cpu`` or ``gpu``; the default device of Paddle from now on. On a
        GPU the network runs in bfloat16 where it can, the losses in float32.
    """

    def __init__(
        self, network: nn.Layer, recipe: Recipe, *, dimension: int, class_count: int, device: str = "cpu"
    ) -> None:
        paddle.device.set_device(device)
        self.network = network
        terms = describe_terms(recipe.losses, classes=class_count, dimension=dimension)
        self._weights = {name: weight for name, weight, _ in terms}
        self._losses = nn.LayerDict({name: build_loss(loss, "paddle", seed=recipe.seed) for name, _, loss in terms})
        self._whole = nn.LayerDict({"network": network, "losses": self._losses})
        self._optimizer = _build_optimizer(recipe.optimizer, self._whole.parameters())
        self._is_mixed = device.startswith("gpu") and paddle.amp.is_bfloat16_supported()

    def learn(self, batch: Batch, *, rate: float, seed: int) -> dict[str, float]:
        """Take one step; see `Learner.learn`."""
        paddle.seed(seed)
        self._optimizer.set_lr(rate)
        self.network.train()
        labels = paddle.to_tensor(batch.labels)
        with self._precision(), warnings.catch_warnings():
            # Batch normalisation says so at every step; it is what is wanted.
            warnings.filterwarnings("ignore", message="When training, we now always track global mean")
            features = self.network(paddle.to_tensor(batch.images))
        features = features.astype("float32")
        parts = {name: loss(features, labels) for name, loss in self._losses.items()}
        total = paddle.add_n([self._weights[name] * value for name, value in parts.items()])
        total.backward()
        self._optimizer.step()
        self._optimizer.clear_grad()
        return {"loss": float(total), **{name: float(value) for name, value in parts.items()}}

    def embed(self, images: FloatArray) -> FloatArray:
        """Return (N, D) float32; see `Learner.embed`."""
        self.network.eval()
        with paddle.no_grad(), self._precision():
            features = self.network(paddle.to_tensor(images))
        vectors: FloatArray = features.astype("float32").numpy()
        return vectors

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that training changes; see `Learner.state`."""
        arrays = {name: np.array(tensor.numpy()) for name, tensor in self._whole.state_dict().items()}
        kept = self._optimizer.state_dict()
        for name, parameter in self._named_parameters():
            # Paddle numbers parameters anew in every process; ours are named by where they are.
            prefix = f"{parameter.name}_"
            for key in (key for key in kept if key.startswith(prefix)):
                arrays[f"optimizer.{name}.{key.removeprefix(prefix)}"] = np.array(kept[key].numpy())
        return arrays

    def restore(self, arrays: Arrays, *, source: str) -> None:
        """Take over what `state` returned; see `Learner.restore`."""
        state = self._whole.state_dict()
        check_state({name: tuple(tensor.shape) for name, tensor in state.items()}, arrays, source=source)
        self._whole.set_state_dict({name: paddle.to_tensor(arrays[name]) for name in state})
        kept: dict[str, Any] = {}
        for name, parameter in self._named_parameters():
            prefix = f"optimizer.{name}."
            for key in (key for key in arrays if key.startswith(prefix)):
                kept[f"{parameter.name}_{key.removeprefix(prefix)}"] = paddle.to_tensor(arrays[key])
        self._optimizer.set_state_dict(kept)

    def _named_parameters(self) -> list[tuple[str, Any]]:
        return [(name, parameter) for name, parameter in self._whole.named_parameters() if not parameter.stop_gradient]

    def _precision(self) -> AbstractContextManager[Any]:
        return paddle.amp.auto_cast(dtype="bfloat16") if self._is_mixed else nullcontext()


def choose_device(*, use_gpu: bool | None = None) -> str:
    """Return ``gpu`` or ``cpu``.

    Parameters
    ----------
    use_gpu : None takes a GPU where there is one.

    Raises
    ------
    ModelError
        when a GPU is wanted and Paddle can use none.
    """
    has_gpu = paddle.device.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0
    if use_gpu and not has_gpu:
        from errors import ModelError

        raise ModelError("model.gpu_missing", runtime="Paddle")
    return "gpu" if has_gpu and use_gpu is not False else "cpu"


def _build_optimizer(optimizer: Optimizer, parameters: list[Any]) -> paddle.optimizer.Optimizer:
    options: dict[str, Any] = {"learning_rate": 1.0, "parameters": parameters, "weight_decay": optimizer.weight_decay}
    if optimizer.gradient_limit:
        options["grad_clip"] = nn.ClipGradByGlobalNorm(optimizer.gradient_limit)
    if optimizer.name == "sgd":
        return paddle.optimizer.Momentum(momentum=optimizer.momentum, **options)
    if optimizer.name == "adamw":
        return paddle.optimizer.AdamW(**options)
    return paddle.optimizer.Adam(amsgrad=optimizer.name == "amsgrad", **options)
