from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.convert import main
from model.networks.build import build_network
from model.networks.checkpoints import load_checkpoint, read_info
from model.networks.weights import write_weights


def test_weights_of_pytorch_become_a_checkpoint_then_paddle_s_then_pytorch_s_again(tmp_path: Path) -> None:
    network = build_network("siamese_encoder", embedding_size=8, seed=3)
    first, checkpoint, paddle, last = (tmp_path / f"a{end}" for end in (".pth", ".safetensors", ".pdparams", ".pt"))
    write_weights(network, first)
    arch = ["--arch", "siamese_encoder"]
    assert main([str(first), str(checkpoint), *arch, "--image_shape", "3,40,24"]) == 0
    info = read_info(checkpoint)
    assert (info.embedding_size, info.preprocessing.sizes_wh, info.origin) == (8, ((24, 40),), "a.pth")
    assert main([str(checkpoint), str(paddle)]) == 0
    assert main([str(paddle), str(last), *arch]) == 0
    assert main([str(last), str(checkpoint), *arch]) == 0
    loaded, info = load_checkpoint(checkpoint)
    assert info.preprocessing.sizes_wh == ((64, 128),)
    for name, value in network.tensors().items():
        np.testing.assert_array_equal(loaded.tensors()[name], value)


def test_weights_of_another_network_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_weights(build_network("siamese_encoder"), tmp_path / "a.pth")
    assert main([str(tmp_path / "a.pth"), str(tmp_path / "b.pdparams"), "--arch", "osnet_x0_25"]) == 1
    assert "do not fit osnet_x0_25" in capsys.readouterr().err
    assert main([str(tmp_path / "a.pth"), str(tmp_path / "b.pdparams")]) == 1
    assert "do not say which network" in capsys.readouterr().err
    assert not (tmp_path / "b.pdparams").exists()
