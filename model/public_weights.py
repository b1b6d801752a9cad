"""Weights that others publish: what each is for, under which licence, where it lies, and its checksum.

Publishers give no checksums but the eight hexadecimal digits in some file names.
A full one here was taken from independent code that verified the file; where
none is known, `model.pull` records the one seen at the first download.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum

from errors import ModelError


class Purpose(str, Enum):
    """What weights do, and with that the folder they go to."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    BOTH = "detector and embedder"
    CHECKPOINT = "checkpoint"
    """Weights to start a training from, or of a network that is not among ours; no worker reads them."""


@dataclass(frozen=True, kw_only=True)
class PublicWeights:
    """One file that can be pulled.

    Attributes
    ----------
    name : as the command line takes it.
    url : where it lies; https.
    file_name : what it is called here.
    licence : of the file, in SPDX's short form, and what else binds.
    about : what it knows and what it was trained on.
    sha256 : 64 hexadecimal digits; empty where none is known.
    sha256_start : the digits that the publisher put into the file's name; empty where there are none.
    size_bytes : exact; None where unknown.
    architecture : of a checkpoint, as `model.networks` names it; empty where that has no such network. An embedder
        with one is exported when it is put to use.
    """

    name: str
    purpose: Purpose
    url: str
    file_name: str
    licence: str
    about: str
    sha256: str = ""
    sha256_start: str = ""
    size_bytes: int | None = None
    architecture: str = ""


_RESEARCH = "trained on {} pictures, which are for research only"
_YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
_PADDLEDET = "https://bj.bcebos.com/v1/paddledet/models/pipeline"
_PADDLECLAS = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph"
_FASTREID = "https://github.com/JDAI-CV/fast-reid/releases/download/v0.1.1"
_OSNET = "https://huggingface.co/kaiyangzhou/osnet/resolve/01af85e82a9db4f3a4f6ed3a72ed9150bd416d04"
_OSNET_X0_25 = (
    "osnet_x0_25_msmt17_combineall_256x128_amsgrad_ep150_stp60_lr0.0015_b64_fb10_softmax_labelsmooth_flip_jitter.pth"
)
_OSNET_AIN = "osnet_ain_x1_0_msmt17_256x128_amsgrad_ep50_lr0.0015_coslr_b64_fb10_softmax_labsmth_flip_jitter.pth"
_DEEP_SORT_PADDLE = (
    "https://bj.bcebos.com/v1/ai-studio-online/ce746f80dd7b4f329efeb076c75d64c858f5f065900548a18e1dc58cd3b981b5"
)


def _yolox(size: str, size_bytes: int, sha256: str) -> PublicWeights:
    return PublicWeights(
        name=f"yolox_{size}",
        purpose=Purpose.DETECTOR,
        url=f"{_YOLOX}/yolox_{size}.onnx",
        file_name=f"yolox_{size}.onnx",
        licence="Apache-2.0",
        about=f"YOLOX-{size}, ONNX; people and vehicles; trained on COCO",
        sha256=sha256,
        size_bytes=size_bytes,
    )


def _paddledet(name: str, file_name: str, purpose: Purpose, about: str) -> PublicWeights:
    return PublicWeights(
        name=name,
        purpose=purpose,
        url=f"{_PADDLEDET}/{file_name}",
        file_name=file_name,
        licence="Apache-2.0",
        about=about,
    )


def _paddleclas_reid(recipe: str) -> tuple[PublicWeights, PublicWeights]:
    words = recipe.replace("_", " ")
    about = f"PaddleClas ReID, {words}; " + _RESEARCH.format("Market-1501")
    folder = f"{_PADDLECLAS}/metric_learning/reid"
    export = PublicWeights(
        name=f"paddleclas_reid_{recipe}",
        purpose=Purpose.EMBEDDER,
        url=f"{folder}/{recipe}_infer.tar",
        file_name=f"paddleclas_reid_{recipe}_infer.tar",
        licence="Apache-2.0",
        about=f"{about}; exported",
    )
    checkpoint = PublicWeights(
        name=f"paddleclas_reid_{recipe}_checkpoint",
        purpose=Purpose.CHECKPOINT,
        url=f"{folder}/{recipe}_pretrained.pdparams",
        file_name=f"paddleclas_reid_{recipe}_pretrained.pdparams",
        licence="Apache-2.0",
        about=about,
    )
    return export, checkpoint


def _fastreid(
    dataset: str, recipe: str, architecture: str = "", purpose: Purpose = Purpose.CHECKPOINT
) -> PublicWeights:
    data = {"market": "Market-1501", "veri": "VeRi-776", "vehicleid": "VehicleID", "veriwild": "VERI-Wild"}[dataset]
    what = "people" if dataset == "market" else "vehicles"
    return PublicWeights(
        name=f"fastreid_{dataset}",
        purpose=purpose,
        url=f"{_FASTREID}/{dataset}_{recipe}.pth",
        file_name=f"{dataset}_{recipe}.pth",
        licence="Apache-2.0",
        about=f"fast-reid {recipe}, {what}; " + _RESEARCH.format(data),
        architecture=architecture,
    )


_ENTRIES = (
    _yolox("nano", 3_659_407, "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d"),
    _yolox("tiny", 20_219_662, "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7"),
    _yolox("s", 35_858_002, "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063"),
    _paddledet(
        "ppyoloe_person_l", "mot_ppyoloe_l_36e_pipeline.zip", Purpose.DETECTOR, "PP-YOLOE l, people (PaddleDetection)"
    ),
    _paddledet(
        "ppyoloe_person_s", "mot_ppyoloe_s_36e_pipeline.zip", Purpose.DETECTOR, "PP-YOLOE s, people (PaddleDetection)"
    ),
    _paddledet(
        "ppyoloe_vehicle_l",
        "mot_ppyoloe_l_36e_ppvehicle.zip",
        Purpose.DETECTOR,
        "PP-YOLOE l, vehicles (PaddleDetection)",
    ),
    _paddledet(
        "ppyoloe_vehicle_s",
        "mot_ppyoloe_s_36e_ppvehicle.zip",
        Purpose.DETECTOR,
        "PP-YOLOE s, vehicles (PaddleDetection)",
    ),
    _paddledet("pphuman_reid", "reid_model.zip", Purpose.EMBEDDER, "PP-Human ReID, people, 128 values"),
    PublicWeights(
        name="deep_sort_paddle",
        purpose=Purpose.BOTH,
        url=f"{_DEEP_SORT_PADDLE}?responseContentDisposition=attachment%3B%20filename%3Dmodel_ppdet_2.x.zip",
        file_name="model_ppdet_2.x.zip",
        licence="not stated by its author",
        about="deep_sort_paddle's pedestrian detector and ResNet101_vd embedder",
    ),
    *_paddleclas_reid("baseline"),
    *_paddleclas_reid("softmax_triplet"),
    *_paddleclas_reid("softmax_triplet_with_center"),
    PublicWeights(
        name="osnet_x0_25_msmt17",
        purpose=Purpose.EMBEDDER,
        url=f"{_OSNET}/{_OSNET_X0_25}",
        file_name=_OSNET_X0_25,
        licence="MIT",
        about="OSNet x0.25, people, light; " + _RESEARCH.format("MSMT17"),
        sha256="cf55163d78fc44c62c82f85ab62d39f10438679b5abe8c698ae08cfa84aa6e18",
        size_bytes=9_336_983,
        architecture="osnet_x0_25",
    ),
    PublicWeights(
        name="osnet_ain_x1_0_msmt17",
        purpose=Purpose.EMBEDDER,
        url=f"{_OSNET}/{_OSNET_AIN}",
        file_name=_OSNET_AIN,
        licence="MIT",
        about="OSNet-AIN x1.0, people, made for other cameras than it was trained on; " + _RESEARCH.format("MSMT17"),
        sha256="8a07e8da38946f7cee37f4561617bf8b6d2fe8f3a4027852893ea092e46d919f",
        size_bytes=17_293_009,
        architecture="osnet_ain_x1_0",
    ),
    _fastreid("market", "bot_R50", "bot_resnet50", Purpose.EMBEDDER),
    _fastreid("veri", "sbs_R50-ibn"),
    _fastreid("vehicleid", "bot_R50-ibn", "bot_resnet50_ibn_a"),
    _fastreid("veriwild", "bot_R50-ibn", "bot_resnet50_ibn_a"),
    PublicWeights(
        name="resnet101_vd_ssld",
        purpose=Purpose.CHECKPOINT,
        url=f"{_PADDLECLAS}/legendary_models/ResNet101_vd_ssld_pretrained.pdparams",
        file_name="ResNet101_vd_ssld_pretrained.pdparams",
        licence="Apache-2.0",
        about="ResNet101_vd, ImageNet: to start training from; about 179 MB",
        architecture="resnet101_vd",
    ),
    PublicWeights(
        name="resnet50_ibn_a",
        purpose=Purpose.CHECKPOINT,
        url="https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet50_ibn_a-d9d0bb7b.pth",
        file_name="resnet50_ibn_a-d9d0bb7b.pth",
        licence="MIT",
        about="ResNet50-IBN-a, ImageNet: to start training from",
        sha256="d9d0bb7b2ba34d7e6e12c4616c9d233914762e49fbb9fcb49d7f4d65da6f759c",
        sha256_start="d9d0bb7b",
        architecture="resnet50_ibn_a",
    ),
    PublicWeights(
        name="resnet101d",
        purpose=Purpose.CHECKPOINT,
        url="https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/resnet101d_ra2-2803ffab.pth",
        file_name="resnet101d_ra2-2803ffab.pth",
        licence="Apache-2.0",
        about="timm's resnet101d, ImageNet: the same network as ResNet101_vd, to start training from",
        sha256_start="2803ffab",
        architecture="resnet101_vd",
    ),
)

PUBLIC_WEIGHTS = {entry.name: entry for entry in _ENTRIES}
"""All of them by name."""


def find_public_weights(name: str) -> PublicWeights:
    """Return the entry of a name.

    Raises
    ------
    ModelError
        for an unknown one; it lists what is close to it, or everything.
    """
    plain = name.lower().replace("-", "_")
    if plain in PUBLIC_WEIGHTS:
        return PUBLIC_WEIGHTS[plain]
    close = difflib.get_close_matches(plain, PUBLIC_WEIGHTS, n=4, cutoff=0.5)
    raise ModelError("model.unknown", what="public model", name=name, choices=", ".join(close or PUBLIC_WEIGHTS))
