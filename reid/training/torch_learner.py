"""Training in PyTorch. Importing this file imports torch; others do so inside the function that needs it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from records import FloatArray
from reid.losses.build import build_loss
from reid.training.batches import Batch
from reid.training.learners import Arrays, check_state, describe_terms
from reid.training.recipes import Optimizer, Recipe


class TorchLearner:
    """A network in training; see `learners.Learner`.

    Parameters
    ----------
    network : (N, 3, H, W) → (N, D). Parameters that want no gradient stay as they are.
    dimension : D.
    class_count : identities in the training data.
    device : ``cpu`` or ``cuda``. On a GPU that has bfloat16 the network runs in it, the losses in float32.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, *, dimension: int, class_count: int, device: str = "cpu"
    ) -> None:
        self.network = network.to(device)
        self._device = torch.device(device)
        terms = describe_terms(recipe.losses, classes=class_count, dimension=dimension)
        self._weights = {name: weight for name, weight, _ in terms}
        self._losses = nn.ModuleDict({name: build_loss(loss, "torch", seed=recipe.seed) for name, _, loss in terms})
        self._losses.to(device)
        self._gradient_limit = recipe.optimizer.gradient_limit
        self._trained = {
            name: parameter for name, parameter in self._whole().named_parameters() if parameter.requires_grad
        }
        self._optimizer = _build_optimizer(recipe.optimizer, list(self._trained.values()))
        self._is_mixed = self._device.type == "cuda" and torch.cuda.is_bf16_supported()

    def learn(self, batch: Batch, *, rate: float, seed: int) -> dict[str, float]:
        """Take one step; see `Learner.learn`."""
        torch.manual_seed(seed)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._set_training()
        images = torch.from_numpy(batch.images).to(self._device, non_blocking=True)
        labels = torch.from_numpy(batch.labels).to(self._device, non_blocking=True)
        with self._precision():
            features = self.network(images)
        parts = {name: loss(features.float(), labels) for name, loss in self._losses.items()}
        total = sum(
            (self._weights[name] * value for name, value in parts.items()), start=torch.zeros((), device=self._device)
        )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        if self._gradient_limit:
            torch.nn.utils.clip_grad_norm_(self._trained.values(), self._gradient_limit)
        self._optimizer.step()
        return {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in parts.items()}}

    def embed(self, images: FloatArray) -> FloatArray:
        """Return (N, D) float32; see `Learner.embed`."""
        self.network.eval()
        with torch.inference_mode(), self._precision():
            features = self.network(torch.from_numpy(images).to(self._device))
        vectors: FloatArray = features.float().cpu().numpy()
        return vectors

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that training changes; see `Learner.state`."""
        arrays = {name: tensor.cpu().numpy().copy() for name, tensor in self._whole().state_dict().items()}
        for name, parameter in self._trained.items():
            for key, value in self._optimizer.state.get(parameter, {}).items():
                arrays[f"optimizer.{name}.{key}"] = torch.as_tensor(value).detach().cpu().numpy().copy()
        return arrays

    def restore(self, arrays: Arrays, *, source: str) -> None:
        """Take over what `state` returned; see `Learner.restore`."""
        tensors = self._whole().state_dict()
        check_state({name: tuple(tensor.shape) for name, tensor in tensors.items()}, arrays, source=source)
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(torch.from_numpy(np.array(arrays[name])))
        self._optimizer.state.clear()
        for name, parameter in self._trained.items():
            prefix = f"optimizer.{name}."
            for key in (key for key in arrays if key.startswith(prefix)):
                value = torch.from_numpy(np.array(arrays[key]))
                # The count of steps stays on the CPU, where the optimizer keeps it.
                place = value if value.ndim == 0 else value.to(parameter.device)
                self._optimizer.state[parameter][key.removeprefix(prefix)] = place

    def _set_training(self) -> None:
        """Set training, but leave parts whose parameters are frozen in evaluation, running statistics with them."""
        self.network.train()
        for module in self.network.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast("cuda", dtype=torch.bfloat16) if self._is_mixed else nullcontext()

    def _whole(self) -> nn.ModuleDict:
        """Return network and losses under one roof, for the names of their tensors."""
        return nn.ModuleDict({"network": self.network, "losses": self._losses})


def choose_device(*, use_gpu: bool | None = None) -> str:
    """Return ``cuda`` or ``cpu``.

    Parameters
    ----------
    use_gpu : None takes a GPU where there is one.

    Raises
    ------
    ModelError
        when a GPU is wanted and there is none.
    """
    if use_gpu and not torch.cuda.is_available():
        from errors import ModelError

        raise ModelError("model.gpu_missing", runtime="PyTorch")
    return "cuda" if torch.cuda.is_available() and use_gpu is not False else "cpu"


def _build_optimizer(optimizer: Optimizer, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    decay = optimizer.weight_decay
    if optimizer.name == "sgd":
        return torch.optim.SGD(parameters, lr=1.0, momentum=optimizer.momentum, weight_decay=decay)
    if optimizer.name == "adamw":
        return torch.optim.AdamW(parameters, lr=1.0, weight_decay=decay)
    return torch.optim.Adam(parameters, lr=1.0, weight_decay=decay, amsgrad=optimizer.name == "amsgrad")
