from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from errors import ModelError
from model.__main__ import main
from model.download import Downloader
from model.networks.build import build_network
from model.networks.catalogue import ARCHITECTURES
from model.networks.weights import write_weights
from model.public_weights import PUBLIC_WEIGHTS, PublicWeights, Purpose, find_public_weights
from model.pull import ModelFolders, Verdict, WeightsFolder, keep_beside, refuse_taken, use
from model.registry import build_detector, build_embedder, resolve_detector
from tests.model.weights_server import WeightsServer, running_server

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with running_server() as served:
        served.files["/w.onnx"] = CONTENT
        yield served


@pytest.fixture
def entry(server: WeightsServer) -> PublicWeights:
    return PublicWeights(
        name="w",
        purpose=Purpose.DETECTOR,
        url=f"{server.address}/w.onnx",
        file_name="w.onnx",
        licence="MIT",
        about="a test",
    )


def test_weights_with_a_published_checksum_are_as_published(entry: PublicWeights, tmp_path: Path) -> None:
    folder = WeightsFolder(tmp_path)
    known = replace(entry, sha256=SHA256)
    pulled = folder.pull(known, Downloader())
    assert (pulled.verdict, pulled.was_there) == (Verdict.RIGHT, False)
    assert folder.pull(known, Downloader()).was_there
    assert folder.verify(known) is Verdict.RIGHT
    assert [path.name for path in tmp_path.iterdir()] == ["w.onnx"]


def test_without_a_published_checksum_the_first_one_seen_counts(
    entry: PublicWeights, server: WeightsServer, tmp_path: Path
) -> None:
    folder = WeightsFolder(tmp_path)
    assert folder.pull(entry, Downloader()).verdict is Verdict.AS_FIRST_SEEN
    assert json.loads((tmp_path / "seen.json").read_bytes()) == {"w": SHA256}
    assert folder.verify(entry) is Verdict.AS_FIRST_SEEN
    (tmp_path / "w.onnx").unlink()
    server.files["/w.onnx"] = b"something else"
    with pytest.raises(ModelError, match=f"instead of {SHA256}"):
        folder.pull(entry, Downloader())
    assert [path.name for path in tmp_path.iterdir()] == ["seen.json"]


def test_a_file_brought_by_hand_is_checked_and_taken(
    entry: PublicWeights, server: WeightsServer, tmp_path: Path
) -> None:
    (tmp_path / "w.onnx").write_bytes(CONTENT)
    folder = WeightsFolder(tmp_path)
    assert folder.verify(entry) is Verdict.UNKNOWN
    assert folder.pull(replace(entry, sha256=SHA256), Downloader()).was_there
    assert server.ranges == []
    (tmp_path / "w.onnx").write_bytes(b"wrong")
    with pytest.raises(ModelError, match="Remove it and pull it again"):
        folder.pull(replace(entry, sha256=SHA256), Downloader())
    assert folder.verify(replace(entry, sha256=SHA256)) is Verdict.WRONG


def test_a_damaged_list_of_checksums_is_said_not_ignored(entry: PublicWeights, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text("[1]")
    with pytest.raises(ModelError, match=r"seen\.json"):
        WeightsFolder(tmp_path).pull(entry, Downloader())


def test_a_used_detector_is_found_by_auto(entry: PublicWeights, tmp_path: Path) -> None:
    pulled = WeightsFolder(tmp_path / "weights").pull(entry, Downloader())
    folders = ModelFolders(detection=tmp_path / "model/detection", embedding=tmp_path / "model/embedding")
    assert use(entry, pulled.path, folders, set_aside=refuse_taken) == [folders.detection]
    assert resolve_detector("auto", folders.detection) == "yolox"
    assert (folders.detection / "w.onnx").read_bytes() == CONTENT


def test_a_folder_with_weights_is_not_overwritten_unless_told(entry: PublicWeights, tmp_path: Path) -> None:
    file = tmp_path / "w.onnx"
    file.write_bytes(CONTENT)
    folders = ModelFolders(detection=tmp_path / "detection", embedding=tmp_path / "embedding")
    folders.detection.mkdir()
    (folders.detection / "mine.onnx").write_bytes(b"mine")
    with pytest.raises(ModelError, match=r"already holds mine\.onnx.*--replace"):
        use(entry, file, folders, set_aside=refuse_taken)
    use(entry, file, folders, set_aside=keep_beside)
    use(entry, file, folders, set_aside=keep_beside)
    assert [path.name for path in folders.detection.iterdir()] == ["w.onnx"]
    assert (tmp_path / "detection.before-1/mine.onnx").read_bytes() == b"mine"
    assert (tmp_path / "detection.before-2/w.onnx").exists()


def test_an_archive_with_both_models_fills_both_folders(
    entry: PublicWeights, copy_export: Callable[[str, str, Path], Path], tmp_path: Path
) -> None:
    copy_export("detector", "json", tmp_path / "source/model/detection")
    (tmp_path / "source/model/detection/infer_cfg.yml").write_text("arch: YOLO\n")
    copy_export("embedder", "__model__", tmp_path / "source/model/embedding")
    archive = zipped(tmp_path / "source", tmp_path / "both.zip")
    folders = ModelFolders(detection=tmp_path / "d", embedding=tmp_path / "e")
    both = replace(entry, purpose=Purpose.BOTH)
    assert use(both, archive, folders, set_aside=refuse_taken) == [folders.detection, folders.embedding]
    assert resolve_detector("auto", folders.detection) == "paddledet"
    assert build_embedder("auto", folders.embedding, threads=1, use_gpu=False).dimension == 4
    assert not list(tmp_path.glob(".unpacking-*"))


def test_a_checkpoint_of_a_network_of_ours_is_exported_and_found_by_auto(entry: PublicWeights, tmp_path: Path) -> None:
    network = build_network("osnet_x0_25")
    write_weights(network, tmp_path / "osnet.pth")
    osnet = replace(entry, purpose=Purpose.EMBEDDER, architecture="osnet_x0_25")
    folders = ModelFolders(detection=tmp_path / "d", embedding=tmp_path / "e")
    assert use(osnet, tmp_path / "osnet.pth", folders, set_aside=refuse_taken) == [folders.embedding]
    embedder = build_embedder("auto", folders.embedding, threads=1, use_gpu=False)
    assert (embedder.info.name, embedder.dimension) == ("osnet_x0_25", 512)
    (tmp_path / "bad.pth").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match="cannot be used"):
        use(osnet, tmp_path / "bad.pth", folders, set_aside=keep_beside)
    assert build_embedder("auto", folders.embedding, threads=1, use_gpu=False).dimension == 512


def test_a_checkpoint_to_train_from_is_not_put_to_use(entry: PublicWeights, tmp_path: Path) -> None:
    backbone = replace(entry, purpose=Purpose.CHECKPOINT, architecture="resnet101_vd")
    with pytest.raises(ModelError, match="train an embedder from it"):
        use(backbone, tmp_path / "x.pdparams", ModelFolders(), set_aside=refuse_taken)


def test_an_archive_without_a_model_is_refused_and_leaves_nothing(entry: PublicWeights, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/readme.txt").write_text("nothing")
    archive = zipped(tmp_path / "source", tmp_path / "none.zip")
    folders = ModelFolders(detection=tmp_path / "d", embedding=tmp_path / "e")
    with pytest.raises(ModelError, match="holds no exported model"):
        use(entry, archive, folders, set_aside=refuse_taken)
    assert not folders.detection.exists()


def test_every_entry_is_complete_and_fetched_safely() -> None:
    assert len(PUBLIC_WEIGHTS) >= 20
    assert len({entry.file_name for entry in PUBLIC_WEIGHTS.values()}) == len(PUBLIC_WEIGHTS)
    for name, entry in PUBLIC_WEIGHTS.items():
        assert name == entry.name
        assert urlsplit(entry.url).scheme == "https"
        assert entry.licence
        assert entry.about
        assert entry.sha256 == "" or re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
        assert entry.sha256.startswith(entry.sha256_start) or not entry.sha256
        assert Path(entry.file_name).name == entry.file_name
        assert entry.architecture in ("", *ARCHITECTURES)


def test_an_unknown_name_is_answered_with_names_that_are_close() -> None:
    with pytest.raises(ModelError, match="yolox_s"):
        find_public_weights("yolo_s")
    assert find_public_weights("YOLOX-S").name == "yolox_s"


def test_the_command_lists_what_there_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["list", "--dir", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "osnet_x0_25_msmt17\n" in text
    assert "for research only" in text
    assert "goes to model/detection/ · Apache-2.0 · 34 MiB · not pulled" in text
    assert main(["list", "--json", "--dir", str(tmp_path)]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(PUBLIC_WEIGHTS)


def test_the_command_refuses_a_wrong_file_and_keeps_nothing(
    server: WeightsServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["pull", "yolox_nano", "--url", f"{server.address}/w.onnx", "--dir", str(tmp_path)]) == 1
    assert "It was not kept" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["verify", "--dir", str(tmp_path)]) == 0
    assert "Nothing has been pulled" in capsys.readouterr().out
    assert main(["verify", "yolox_nano", "--dir", str(tmp_path)]) == 1


def test_the_command_pulls_installs_and_verifies(
    server: WeightsServer,
    entry: PublicWeights,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(PUBLIC_WEIGHTS, "w", entry)
    flags = ["--dir", str(tmp_path / "weights"), "--det_model_dir", str(tmp_path / "detection"), "--use"]
    assert main(["pull", "w", *flags]) == 0
    assert "recorded at the first download" in capsys.readouterr().out
    assert (tmp_path / "detection/w.onnx").read_bytes() == CONTENT
    assert main(["pull", "w", *flags]) == 1
    assert "already holds w.onnx" in capsys.readouterr().err
    assert main(["pull", "w", *flags, "--replace"]) == 0
    assert main(["verify", "--dir", str(tmp_path / "weights")]) == 0
    assert "w: as at the first download" in capsys.readouterr().out
    (tmp_path / "weights/w.onnx").write_bytes(b"changed")
    assert main(["verify", "--dir", str(tmp_path / "weights")]) == 1


def test_a_folder_that_cannot_be_made_is_a_sentence(
    entry: PublicWeights, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(PUBLIC_WEIGHTS, "w", entry)
    (tmp_path / "file").write_text("in the way")
    assert main(["pull", "w", "--dir", str(tmp_path / "file")]) == 1
    assert "This cannot be done: " in capsys.readouterr().err


def test_a_pulled_yolox_detects(server: WeightsServer, entry: PublicWeights, yolox_onnx: Path, tmp_path: Path) -> None:
    server.files["/yolox.onnx"] = yolox_onnx.read_bytes()
    sha256 = hashlib.sha256(yolox_onnx.read_bytes()).hexdigest()
    real = replace(entry, url=f"{server.address}/yolox.onnx", file_name="yolox.onnx", sha256=sha256)
    pulled = WeightsFolder(tmp_path / "weights").pull(real, Downloader())
    folders = ModelFolders(detection=tmp_path / "detection", embedding=tmp_path / "embedding")
    use(real, pulled.path, folders, set_aside=refuse_taken)
    detector = build_detector("auto", folders.detection, threshold=None, threads=1, use_gpu=False)
    assert detector.info.name == "yolox"


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return archive
