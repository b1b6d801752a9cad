"""Features of detections by a re-identification network: the API of roboflow/trackers' ``ReIDModel``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.crops import cut_crops
from model.embedding_spec import Preprocessing
from model.network_input import prepare_crops
from records import FloatArray, Image
from reid.backbones import Backbone, EmbedderBackbone, as_backbone, measure_dimension

if TYPE_CHECKING:
    import supervision as sv

    from model.networks.build import Network
    from model.protocols import Embedder

Transform: TypeAlias = Callable[[Any], Any]

BUILTIN = "builtin"
BATCH_SIZE = 32


class ReIDModel:
    """Turn detections into vectors that tell who is who.

    Parameters
    ----------
    backbone_model : a module of torch, or a network of ours in Paddle, (N, 3, H, W) → (N, D).
    device : ``auto`` takes a GPU where there is one; else as the framework names it.
    transforms : one or several functions, applied in turn to each crop, (h, w, 3)
        uint8 RGB, ending in (3, H, W) float; None: ``preprocessing``.
    model_metadata : whatever should be remembered; `save` writes it, as text.
    preprocessing : how crops are resized and normalised; 128 wide, 256 high by default.

    Raises
    ------
    ModelError
        when a GPU is asked for and there is none.
    TypeError
        for a backbone of neither framework.
    """

    def __init__(
        self,
        backbone_model: Any,
        device: str = "auto",
        transforms: Transform | Sequence[Transform] | None = None,
        model_metadata: Mapping[str, Any] | None = None,
        *,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        self.backbone: Backbone = as_backbone(backbone_model, device)
        self.transforms = _as_sequence(transforms)
        self.preprocessing = preprocessing or Preprocessing(sizes_wh=((128, 256),))
        self.model_metadata: dict[str, Any] = dict(model_metadata or {})
        self._dimension: int | None = getattr(backbone_model, "dimension", None)

    @classmethod
    def from_timm(
        cls,
        model_name_or_checkpoint_path: str | Path,
        device: str = "auto",
        get_pooled_features: bool = True,
        **kwargs: Any,
    ) -> ReIDModel:
        """Build a model from a name or from a file of weights. Nothing is ever downloaded unasked.

        Parameters
        ----------
        model_name_or_checkpoint_path : ``builtin``, the embedder that comes with this
            program; one of our networks, e.g. ``osnet_x1_0`` or ``resnet101_vd``; a
            network of timm's, where timm is installed; a ``.safetensors`` (or
            ``.pth``, ``.pdparams``) file; an ``.onnx`` file; or a folder, see `from_paddle`.
        get_pooled_features : False returns timm's feature maps, flattened; ours are pooled always.
        kwargs : for our networks ``embedding_size``, ``seed``, ``framework`` (``torch``
            or ``paddle``), ``weights`` (a file; random values without one) and
            ``architecture`` (of a file that does not say it). For timm's, the arguments
            of ``timm.create_model``; ``pretrained=True`` lets timm download.
            For both ``transforms`` and ``preprocessing``.

        Raises
        ------
        ModelError
            for an unknown name (with those close to it), and for weights that are missing or do not fit.
        ValueError
            for feature maps of one of our networks.
        """
        name = str(model_name_or_checkpoint_path)
        path = Path(model_name_or_checkpoint_path)
        if name == BUILTIN:
            return cls.builtin(device)
        from reid import model_sources

        if path.is_dir():
            return cls.from_paddle(path, device, **kwargs)
        if path.suffix == ".onnx":
            return model_sources.from_onnx(cls, path, device, **kwargs)
        if path.suffix or path.is_file():
            return model_sources.from_file(cls, path, device, **kwargs)
        if not model_sources.is_ours(name) and model_sources.is_of_timm(name):
            return model_sources.from_timm_network(cls, name, device, get_pooled_features=get_pooled_features, **kwargs)
        model_sources.check_name(name)
        if not get_pooled_features:
            raise ValueError(f"{name} gives pooled features alone; take embedding_size=0 for the pooled ones")
        return model_sources.from_our_network(cls, name, device, **kwargs)

    @classmethod
    def from_paddle(cls, folder: str | Path, device: str = "auto", **kwargs: Any) -> ReIDModel:
        """Load a model for Paddle from a folder.

        Parameters
        ----------
        folder : an export for paddle.inference (``.json`` or ``.pdmodel``, or
            ``__model__``), prepared as its ``embedding.json`` says or as
            deep_sort_paddle does; or weights of one of our networks, as a training
            writes them.
        kwargs : see `from_timm`.

        Raises
        ------
        ModelError
            when neither is there, or it cannot be used.
        """
        from reid.model_sources import from_paddle_folder

        return from_paddle_folder(cls, Path(folder), device, **kwargs)

    @classmethod
    def builtin(cls, device: str = "auto") -> ReIDModel:
        """Load the embedder that comes with this program.

        Raises
        ------
        ModelError
            when its file is missing.
        """
        from reid.model_sources import from_builtin

        return from_builtin(cls, device)

    @classmethod
    def from_embedder(cls, embedder: Embedder) -> ReIDModel:
        """Take an embedder of `model.registry`, for example the colour descriptor; its vectors have unit length."""
        return cls(EmbedderBackbone(embedder), model_metadata={"architecture": embedder.info.name})

    @property
    def device(self) -> str:
        """Where the network runs."""
        return self.backbone.device

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        if self._dimension is None:
            size_wh = self.preprocessing.sizes_wh[-1]
            if self.transforms:
                height, width = self._transformed(np.zeros((8, 8, 3), np.uint8)).shape[1:]
                size_wh = (width, height)
            self._dimension = measure_dimension(self.backbone, size_wh)
        return self._dimension

    def replace_backbone(self, backbone_model: Any) -> None:
        """Go on with another network on the same device, e.g. one that has gained a projection."""
        self.backbone = as_backbone(backbone_model, self.device)
        self._dimension = getattr(backbone_model, "dimension", None)

    def extract_features(
        self, detections: sv.Detections | NDArray[Any], frame: Any, *, batch_size: int = BATCH_SIZE
    ) -> FloatArray:
        """Return a vector for each detection, as the network gives it: not of unit length.

        Parameters
        ----------
        detections : anything with ``xyxy``, as supervision has it, or (N, 4) boxes in
            pixels themselves. Boxes are clipped to the frame; one outside it gives
            the nearest pixel.
        frame : (H, W, 3) uint8 RGB, or a picture of Pillow's.
        batch_size : crops that run together.

        Returns
        -------
        (N, D) float32; (0, D) for no detections.

        Raises
        ------
        ValueError
            for a frame or boxes of another shape.
        """
        picture = np.asarray(frame)
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
            raise ValueError(f"frame must be (H, W, 3) uint8 RGB, not {picture.shape} {picture.dtype}")
        boxes = np.asarray(getattr(detections, "xyxy", detections), np.float32)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes must have shape (N, 4), not {boxes.shape}")
        return self.embed_crops(cut_crops(picture, boxes), batch_size=batch_size)

    def embed_crops(self, crops_rgb: Sequence[Image], *, batch_size: int = BATCH_SIZE) -> FloatArray:
        """Return (N, D) float32, not of unit length, for (h, w, 3) uint8 RGB crops; (0, D) for none.

        Raises
        ------
        ValueError
            for a batch size below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
        parts = [
            self._embed_batch(crops_rgb[start : start + batch_size]) for start in range(0, len(crops_rgb), batch_size)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def train(
        self,
        train_loader: Any,
        epochs: int,
        validation_loader: Any = None,
        projection_dimension: int | None = None,
        freeze_backbone: bool = False,
        learning_rate: float = 5e-5,
        weight_decay: float = 0.0,
        triplet_margin: float = 1.0,
        random_state: int | None = None,
        checkpoint_interval: int | None = None,
        log_dir: str = "logs",
        **kwargs: Any,
    ) -> Any:
        """Train on triplets; see `reid.training.triplets.train_triplets`, which has the parameters."""
        from reid.training.triplets import train_triplets

        return train_triplets(
            self,
            train_loader,
            epochs,
            validation_loader=validation_loader,
            projection_dimension=projection_dimension,
            freeze_backbone=freeze_backbone,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            triplet_margin=triplet_margin,
            random_state=random_state,
            checkpoint_interval=checkpoint_interval,
            log_dir=log_dir,
            **kwargs,
        )

    def save(self, path: str | Path, *, origin: str = "saved from Python") -> None:
        """Write weights, preprocessing and metadata into a ``.safetensors`` file, for `from_timm`.

        Raises
        ------
        TypeError
            for a backbone that is none of our networks, or one with transforms,
            which no file can hold.
        """
        from model.networks.checkpoints import save_checkpoint

        network: Network | None = getattr(self.backbone, "module", None)
        if not hasattr(network, "definition") or network is None:
            raise TypeError("only our own networks can be saved, those of model.networks")
        if self.transforms:
            raise TypeError("transforms cannot be saved; give the model a preprocessing instead")
        details = {key: str(value) for key, value in self.model_metadata.items()}
        save_checkpoint(Path(path), network, preprocessing=self.preprocessing, origin=origin, details=details)

    def _embed_batch(self, crops_rgb: Sequence[Image]) -> FloatArray:
        if isinstance(self.backbone, EmbedderBackbone) and not self.transforms:
            return self.backbone.embed_crops(crops_rgb)
        return self.backbone(self._prepared(crops_rgb))

    def _prepared(self, crops_rgb: Sequence[Image]) -> FloatArray:
        """Return (N, 3, H, W) float32."""
        if self.transforms:
            return np.stack([self._transformed(crop) for crop in crops_rgb])
        return prepare_crops([crop[..., ::-1] for crop in crops_rgb], self.preprocessing)

    def _transformed(self, crop_rgb: Image) -> FloatArray:
        value: Any = crop_rgb
        for transform in self.transforms:
            value = transform(value)
        array = np.asarray(value, np.float32)
        if array.ndim != 3 or array.shape[0] != 3:
            raise ValueError(f"transforms must end in (3, H, W), not {array.shape}")
        return array


def _as_sequence(transforms: Transform | Sequence[Transform] | None) -> tuple[Transform, ...]:
    if transforms is None:
        return ()
    return (transforms,) if callable(transforms) else tuple(transforms)
