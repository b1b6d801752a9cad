"""Losses by hand, in both frameworks, and beside pytorch-metric-learning."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from errors import ModelError
from records import FloatArray, IntArray
from reid.losses.build import LOSSES, build_loss, describe_loss
from reid.losses.classifying import ArcMargin, Centre, Softmax, identity_loss
from reid.losses.loss import Loss
from reid.losses.mining import AnchorCircle, BatchHardTriplet, Circle, Contrastive, PairContrastive
from reid.losses.sums import WeightedSum, vehicle_loss
from reid.losses.tuples import Eml, EuclideanTriplet, NPairs, Quadruplet, Triplet

PAIRS = [0, 0, 1, 1, 2, 2, 0, 0, 3, 3, 1, 1]


def batch(*, count: int = 12, dimension: int = 5, scale: float = 1.0) -> tuple[FloatArray, IntArray]:
    """Return features and labels that suit every loss: pairs, and a multiple of three."""
    features = np.random.default_rng(7).standard_normal((count, dimension)).astype(np.float32) * np.float32(scale)
    return features, np.array(PAIRS[:count], np.int64)


def in_torch(loss: Loss, features: FloatArray, labels: IntArray) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    """Return the value, the gradient of the features and those of what the loss trains."""
    module = build_loss(loss)
    x = torch.tensor(features, requires_grad=True)
    value = module(x, torch.tensor(labels))
    value.backward()
    assert x.grad is not None
    return value.item(), x.grad.numpy(), {name: p.grad.numpy() for name, p in module.named_parameters()}


def in_paddle(loss: Loss, features: FloatArray, labels: IntArray) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    import paddle

    layer = build_loss(loss, "paddle")
    x = paddle.to_tensor(features, stop_gradient=False)
    value = layer(x, paddle.to_tensor(labels))
    value.backward()
    return float(value), x.grad.numpy(), {name: p.grad.numpy() for name, p in layer.named_parameters()}


def value_of(loss: Loss, features: object, labels: object) -> float:
    return in_torch(loss, np.asarray(features, np.float32), np.asarray(labels, np.int64))[0]


EVERY: dict[str, Callable[[], Loss]] = {
    **{name: (lambda name=name: describe_loss(name, classes=4, dimension=5)) for name in LOSSES},
    "arcmargin, easy": lambda: ArcMargin(classes=4, dimension=5, is_easy=True),
    "softmax, smoothed": lambda: Softmax(classes=4, dimension=5, smoothing=0.1),
    "batch-hard triplet, soft": lambda: BatchHardTriplet(margin=0),
    "sum": lambda: WeightedSum(
        terms=(
            (1.0, Softmax(classes=4, dimension=5)),
            (0.5, BatchHardTriplet()),
            (0.01, Centre(classes=4, dimension=5)),
        )
    ),
}


@pytest.mark.parametrize("name", EVERY)
def test_both_frameworks_give_the_same_value_and_gradients(name: str) -> None:
    loss = EVERY[name]()
    features, labels = batch()
    value, gradient, of_weights = in_torch(loss, features, labels)
    other_value, other_gradient, of_other_weights = in_paddle(loss, features, labels)
    assert value > 0
    assert other_value == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(other_gradient, gradient, rtol=1e-5, atol=2e-6 * max(1, np.abs(gradient).max()))
    assert of_weights.keys() == of_other_weights.keys()
    for key, expected in of_weights.items():
        np.testing.assert_allclose(of_other_weights[key], expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())


# The circle loss holds its weights α still, so its gradient is not the slope of its value.
@pytest.mark.parametrize("name", sorted(EVERY.keys() - {"circle", "anchor_circle", "vehicle"}))
def test_gradient_is_the_slope_of_the_value(name: str) -> None:
    module = build_loss(EVERY[name]()).double()
    features, labels = batch()
    x = torch.tensor(features.astype(np.float64), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: module(x, torch.tensor(labels)), (x,), atol=1e-4)


def test_softmax_is_the_cross_entropy_of_the_classifier() -> None:
    loss = Softmax(classes=2, dimension=2)
    module = build_loss(loss)
    with torch.no_grad():
        module.weight.copy_(torch.eye(2))
        module.bias.copy_(torch.tensor([0.0, 1.0]))
    got = module(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 1])).item()
    assert got == pytest.approx((math.log(1 + 1) + math.log(1 + math.exp(-4))) / 2, rel=1e-6)


def test_identity_loss_smooths_labels() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0, 0.0]])
    log_p = logits - torch.logsumexp(logits, 1)
    expected = -(0.925 * log_p[0, 2] + 0.025 * (log_p[0, 0] + log_p[0, 1] + log_p[0, 3]))
    assert identity_loss(logits, torch.tensor([2])).item() == pytest.approx(expected.item(), rel=1e-6)
    judge = torch.nn.functional.cross_entropy(logits, torch.tensor([2]), label_smoothing=0.1)
    assert judge.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("angle", "is_easy", "expected_cosine"),
    [
        (1.0, False, math.cos(1.15)),
        (3.1, False, math.cos(3.1) - 0.15 * math.sin(math.pi - 0.15)),
        (1.0, True, math.cos(1.15)),
        (2.0, True, math.cos(2.0)),
    ],
)
def test_arcmargin_turns_the_own_class_by_the_margin(angle: float, is_easy: bool, expected_cosine: float) -> None:
    module = build_loss(ArcMargin(classes=2, dimension=2, scale=4, is_easy=is_easy))
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.5]]))
    feature = 7 * torch.tensor([[math.cos(angle), math.sin(angle)]])
    expected = math.log(1 + math.exp(4 * math.sin(angle) - 4 * expected_cosine))
    assert module(feature, torch.tensor([0])).item() == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("run", [in_torch, in_paddle])
def test_arcmargin_tells_the_true_value_above_64(run: Callable[[Loss, FloatArray, IntArray], tuple[float]]) -> None:
    loss = ArcMargin(classes=20, dimension=2)
    weight = loss.first_values(np.random.default_rng(0))["weight"]
    opposite = -weight[:1] / np.linalg.norm(weight[0])
    assert run(loss, opposite, np.array([0]))[0] > 64


def test_centre_pulls_towards_the_centre_of_the_own_class() -> None:
    module = build_loss(Centre(classes=2, dimension=2))
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    features = torch.tensor([[3.0, 4.0], [1.0, 2.0]])
    assert module(features, torch.tensor([0, 1])).item() == pytest.approx(0.5 * (25 + 1) / 2)


def test_triplet_compares_unit_vectors() -> None:
    triplets = [[2, 0], [0, 3], [-1, 0], [1, 0], [5, 0], [0, 1]]  # d² of unit vectors: 2 and 4, then 0 and 2
    assert value_of(Triplet(margin=0.1), triplets, [0] * 6) == pytest.approx(0)
    assert value_of(Triplet(margin=2.5), triplets, [0] * 6) == pytest.approx((0.5 + 0.5) / 2)


def test_euclidean_triplet_compares_raw_distances() -> None:
    triplets = [[0, 0], [3, 4], [0, 2], [1, 0], [1, 1], [9, 0]]  # d: 5 and 2, then 1 and 8
    assert value_of(EuclideanTriplet(margin=1), triplets, [0] * 6) == pytest.approx((5 - 2 + 1 + 0) / 2)


def test_quadruplet_takes_the_farthest_same_and_the_nearest_different_pair() -> None:
    features = [[1, 0], [0, 2], [-3, 0], [-1, -1]]  # same: 2 and 2 − √2; nearest different: 0, 1 to 2, at 2
    labels = [0, 0, 1, 1]
    assert value_of(Quadruplet(), features, labels) == pytest.approx(2 - 2 + 0.1, abs=1e-6)


def test_eml_of_two_pairs_by_hand() -> None:
    features, labels = [[0, 0], [1, 0], [0, 2], [2, 2]], [0, 0, 1, 1]
    squared = {(0, 1): 1, (0, 2): 4, (0, 3): 8, (1, 2): 5, (1, 3): 5, (2, 3): 4}
    total = 0.0
    for anchor, positive, negatives in ((0, 1, (2, 3)), (1, 0, (2, 3)), (2, 3, (0, 1)), (3, 2, (0, 1))):
        between = [squared[min(anchor, n), max(anchor, n)] for n in negatives]
        same = math.exp(squared[min(anchor, positive), max(anchor, positive)])
        theta = same * (math.exp(-between[0]) + math.exp(-between[1])) / 2
        total += math.log(1 + 1e5 * theta) / math.log(1 + 1e5)
    assert value_of(Eml(), features, labels) == pytest.approx(total / 4, rel=1e-6)


def test_eml_of_far_features_neither_overflows_nor_loses_its_value() -> None:
    features, labels = batch(scale=30)
    squared = ((features[:, None].astype(np.float64) - features[None]) ** 2).sum(2)
    total = 0.0
    for anchor in range(12):
        positive = (labels == labels[anchor]) & (np.arange(12) != anchor)
        farthest, nearest = squared[anchor][positive].max(), squared[anchor][labels != labels[anchor]].min()
        assert farthest - nearest > 20
        theta = np.exp(squared[anchor][positive] - farthest).mean()
        theta *= np.exp(nearest - squared[anchor][labels != labels[anchor]]).mean()
        total += (np.log(theta) + farthest - nearest + np.log(1e5)) / np.log(1 + 1e5)
    assert value_of(Eml(), features, labels) == pytest.approx(total / 12, rel=1e-5)


def test_npairs_by_hand() -> None:
    features, labels = [[1, 0], [2, 0], [0, 1], [0, 3]], [5, 5, 6, 6]  # aᵀp: [[2, 0], [0, 3]]
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-3))) / 2 + 0.5 * 0.01 * (1 + 4 + 1 + 9) / 4
    assert value_of(NPairs(), features, labels) == pytest.approx(expected, rel=1e-6)


def test_batch_hard_triplet_by_hand() -> None:
    features, labels = [[0, 0], [3, 0], [4, 0], [6, 0]], [0, 0, 1, 1]
    gaps = [3 - 4, 3 - 1, 2 - 1, 2 - 3]
    assert value_of(BatchHardTriplet(), features, labels) == pytest.approx((2.3 + 1.3) / 4, rel=1e-5)
    soft = sum(math.log1p(math.exp(gap)) for gap in gaps) / 4
    assert value_of(BatchHardTriplet(margin=0), features, labels) == pytest.approx(soft, rel=1e-5)


def test_contrastive_by_hand_over_pairs_in_turn_and_over_all_pairs() -> None:
    features, labels = [[0, 0], [0.3, 0], [0, 0.4], [5, 5]], [1, 1, 1, 2]
    in_turn = (0.3**2 + 0) / (2 * 2)
    assert value_of(PairContrastive(margin=0.5), features, labels) == pytest.approx(in_turn, rel=1e-5)
    everywhere = (0.3**2 + 0.4**2 + 0.5**2) / (2 * 6)
    assert value_of(Contrastive(margin=0.5), features, labels) == pytest.approx(everywhere, rel=1e-5)
    near = value_of(PairContrastive(margin=0.5), [[0, 0], [0.3, 0]], [1, 2])
    assert near == pytest.approx((0.5 - 0.3) ** 2 / 2, rel=1e-5)


def circle_by_hand(positives: list[float], negatives: list[float], margin: float, gamma: float) -> float:
    upper = sum(math.exp(gamma * max(0, s + margin) * (s - margin)) for s in negatives)
    lower = sum(math.exp(-gamma * max(0, 1 + margin - s) * (s - (1 - margin))) for s in positives)
    return math.log1p(upper * lower)


def test_circle_by_hand_over_all_pairs_and_over_each_anchor() -> None:
    angles, labels = [0.0, 0.5, 1.1, 2.0], [0, 0, 1, 1]
    features = [[2 * math.cos(a), 2 * math.sin(a)] for a in angles]
    same = [math.cos(0.5), math.cos(0.9)]
    different = [math.cos(1.1), math.cos(2.0), math.cos(0.6), math.cos(1.5)]
    assert value_of(Circle(), features, labels) == pytest.approx(circle_by_hand(same, different, 0.25, 32), rel=1e-5)
    of_anchors = [
        circle_by_hand([math.cos(0.5)], [math.cos(1.1), math.cos(2.0)], 0.25, 8),
        circle_by_hand([math.cos(0.5)], [math.cos(0.6), math.cos(1.5)], 0.25, 8),
        circle_by_hand([math.cos(0.9)], [math.cos(1.1), math.cos(0.6)], 0.25, 8),
        circle_by_hand([math.cos(0.9)], [math.cos(2.0), math.cos(1.5)], 0.25, 8),
    ]
    assert value_of(AnchorCircle(gamma=8), features, labels) == pytest.approx(sum(of_anchors) / 4, rel=1e-5)


def test_vehicle_loss_is_the_sum_of_its_three_terms() -> None:
    features, labels = batch()
    whole = vehicle_loss(classes=4, dimension=5, contrastive_factor=0.5, circle_factor=0.25)
    identity = in_torch(Softmax(classes=4, dimension=5, smoothing=0.1), features, labels)[0]
    others = 0.5 * value_of(Contrastive(), features, labels) + 0.25 * value_of(Circle(), features, labels)
    assert value_of(whole, features, labels) == pytest.approx(identity + others, rel=1e-6)


def test_circle_of_anchors_is_that_of_pytorch_metric_learning() -> None:
    from pytorch_metric_learning import losses

    features, labels = batch()
    judged = losses.CircleLoss(m=0.25, gamma=32)(torch.tensor(features), torch.tensor(labels)).item()
    assert value_of(AnchorCircle(margin=0.25, gamma=32), features, labels) == pytest.approx(judged, rel=1e-5)


def test_arcmargin_is_that_of_pytorch_metric_learning() -> None:
    from pytorch_metric_learning import losses

    features, labels = batch()
    ours = ArcMargin(classes=4, dimension=5)
    judge = losses.ArcFaceLoss(4, 5, margin=math.degrees(0.15), scale=80)
    with torch.no_grad():
        judge.W.copy_(torch.tensor(ours.first_values(np.random.default_rng(0))["weight"]).T)
    judged = judge(torch.tensor(features), torch.tensor(labels)).item()
    assert value_of(ours, features, labels) == pytest.approx(judged, rel=1e-5)


def test_batch_hard_triplet_is_that_of_pytorch_metric_learning() -> None:
    from pytorch_metric_learning import distances, losses, miners, reducers

    features, labels = batch()
    x, y = torch.tensor(features), torch.tensor(labels)
    raw = distances.LpDistance(normalize_embeddings=False)
    judge = losses.TripletMarginLoss(margin=0.3, distance=raw, reducer=reducers.MeanReducer())
    judged = judge(x, y, miners.BatchHardMiner(distance=raw)(x, y)).item()
    assert value_of(BatchHardTriplet(), features, labels) == pytest.approx(judged, rel=1e-5)


@pytest.mark.parametrize("name", ["quadruplet", "eml", "batch_hard_triplet", "contrastive", "circle", "anchor_circle"])
@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [4]])
def test_batch_without_positives_or_negatives_gives_finite_values_and_gradients(name: str, labels: list[int]) -> None:
    features = np.random.default_rng(0).standard_normal((len(labels), 4)).astype(np.float32)
    features[-1] = features[0]
    for run in (in_torch, in_paddle):
        value, gradient, _ = run(describe_loss(name), features, np.array(labels))
        assert math.isfinite(value)
        assert np.isfinite(gradient).all()


def test_half_precision_is_computed_in_full() -> None:
    features, labels = batch(scale=3)
    half = torch.tensor(features).half()
    got = build_loss(Eml())(half, torch.tensor(labels))
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(value_of(Eml(), half.float().numpy(), labels), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "count", "reason"),
    [
        ("triplet", 4, "multiple of 3 features, not 4"),
        ("npairs", 3, "multiple of 2 features, not 3"),
        ("pair_contrastive", 3, "multiple of 2"),
        ("euclidean_triplet", 4, "multiple of 3"),
        ("triplet", 0, "not 0"),
    ],
)
def test_batch_of_the_wrong_make_is_refused(name: str, count: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        value_of(describe_loss(name), np.ones((count, 2)), np.zeros(count))


def test_unknown_loss_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelError, match=r"no loss named “focal”.*softmax, arcmargin, triplet"):
        describe_loss("focal")
    with pytest.raises(TypeError, match="arc_scale"):
        describe_loss("arcmargin", classes=2, dimension=2, arc_scale=3)


def test_numpy_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match="a tensor of torch or paddle is wanted, not numpy"):
        Quadruplet().value(np.ones((2, 2)), np.zeros(2), {})
