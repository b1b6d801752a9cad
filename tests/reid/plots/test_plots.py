"""The figures are looked at by people; here: what they say, and that they come out as files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reid.plots import (
    DARK,
    LIGHT,
    Candidate,
    Strip,
    plot_cmc,
    plot_embedding_map,
    plot_histograms,
    plot_roc,
    plot_similarities,
    plot_strips,
    png_of,
    project_pca,
    project_tsne,
    svg_of,
)
from reid.plots.style import printable
from reid.verification import verify
from tests.reid.metrics.features import make_features

IMAGES = make_features(1, 60, identities=5, spread=0.8)


def texts(figure: object) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))  # type: ignore[attr-defined]


def test_strips_frame_right_answers_green_and_wrong_ones_red_dashed_with_symbols() -> None:
    crop = np.zeros((20, 10, 3), np.uint8)
    answers = [Candidate(crop, True, "0.90 · cam 2"), Candidate(crop, False, "0.80 · cam 3")]
    figure = plot_strips([Strip(crop, "query 7", answers), Strip(crop, "query 8", answers[:1])])
    frames = figure.axes[0].patches
    assert [frame.get_linestyle() for frame in frames] == ["-", "-", (0, (2.4, 1.2)), "-", "-"]
    from matplotlib.colors import to_hex

    assert [to_hex(frame.get_edgecolor()) for frame in frames[1:3]] == [LIGHT.right, LIGHT.wrong]
    assert "✓ 0.90 · cam 2" in texts(figure)
    assert "✗ 0.80 · cam 3" in texts(figure)
    assert png_of(figure).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no strips"):
        plot_strips([])


def test_strips_show_the_pictures_in_their_own_colours() -> None:
    blue_bgr = np.full((40, 20, 3), (255, 0, 0), np.uint8)
    image = plot_strips([Strip(blue_bgr, "", [])]).axes[0].images[0].get_array()
    assert image[0, 0].tolist() == [0, 0, 255]  # RGB


def test_curve_names_rank_1_of_each_line() -> None:
    figure = plot_cmc({"cosine": np.array([0.5, 0.75]), "re-ranked": np.array([0.625, 1.0])}, theme=DARK)
    assert "cosine: Rank-1 50.0 %" in texts(figure)
    assert "re-ranked: Rank-1 62.5 %" in texts(figure)
    styles = {line.get_linestyle() for line in figure.axes[0].lines}
    assert len(styles) == 2


def test_histograms_show_all_pairs_and_the_thresholds() -> None:
    verification = verify(IMAGES)
    figure = plot_histograms(verification, thresholds={"equal error": 0.25})
    assert "equal error: 0.250" in texts(figure)
    assert f"same ({verification.same_count:,} pairs)" in texts(figure)
    assert svg_of(figure).startswith(b"<?xml")


def test_roc_marks_the_equal_error_rate() -> None:
    verification = verify(IMAGES)
    assert f"equal error rate {100 * verification.equal_error_rate:.2f} %" in texts(plot_roc(verification))


def test_map_labels_every_identity_and_camera() -> None:
    positions, share = project_pca(IMAGES.features)
    figure = plot_embedding_map(positions, IMAGES.identities, IMAGES.cameras, caption=f"PCA {share:.2f}")
    labels = texts(figure).splitlines()
    assert {str(name) for name in np.unique(IMAGES.identities)} <= set(labels)
    assert {f"camera {camera}" for camera in np.unique(IMAGES.cameras)} <= set(labels)


def test_pca_finds_the_directions_of_most_variance() -> None:
    generator = np.random.default_rng(0)
    angles = generator.uniform(-0.5, 0.5, 50)
    features = np.stack([np.cos(angles), np.sin(angles), np.zeros(50)], axis=1).astype(np.float32)
    positions, share = project_pca(features)
    assert abs(np.corrcoef(positions[:, 0], np.sin(angles))[0, 1]) > 0.99
    assert share == pytest.approx(1)
    assert project_pca(features[:1])[0].tolist() == [[0, 0]]


def test_tsne_keeps_clusters_apart() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    images = make_features(2, 24, identities=2, spread=0.2)
    images = images.select(images.identities >= 0)
    positions = project_tsne(images.features)
    first, second = (positions[images.identities == name] for name in (0, 1))
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > first.std() + second.std()
    with pytest.raises(ValueError, match="not 3; use project_pca"):
        project_tsne(images.features[:3])


def test_heat_map_sorts_by_identity() -> None:
    features = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    shown = plot_similarities(features, np.array([5, 7, 5])).axes[0].images[0].get_array()
    assert shown.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_the_same_figure_gives_the_same_file() -> None:
    first, again = (svg_of(plot_roc(verify(IMAGES))) for _ in range(2))
    assert first == again


def test_characters_without_a_font_become_boxes_instead_of_a_warning() -> None:
    assert printable("cam 2 ✓") == "cam 2 ✓"
    assert printable("\U0001f9d1") == "□"


def test_plots_leave_the_process_s_own_matplotlib_settings_alone() -> None:
    code = """
import sys, numpy as np, reid.plots as plots
assert "matplotlib" not in sys.modules and "cv2" not in sys.modules
import matplotlib
before = matplotlib.rcParams.copy()
plots.png_of(plots.plot_cmc({"a": np.ones(5)}))
assert list(matplotlib.rcParams.copy().items()) == list(before.items())
print("pyplot" if "matplotlib.pyplot" in sys.modules else "clean")
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("clean", "")
