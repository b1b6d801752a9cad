from __future__ import annotations

import numpy as np
import pytest

from errors import DataError
from records import IntArray
from reid.sampling import PairSampler, PKSampler, Sampler, ShuffledSampler, TripletSampler, draw

IDENTITIES: IntArray = np.repeat([3, 5, 8, 9, 11], [7, 1, 4, 2, 5]).astype(np.int64)
"""Nineteen crops of five identities, one of them alone."""


def epoch(sampler: Sampler, number: int = 0) -> list[IntArray]:
    each = sampler.batches_per_epoch
    return [sampler.batch(iteration) for iteration in range(number * each, (number + 1) * each)]


SAMPLERS = {
    "shuffled": lambda seed: ShuffledSampler(len(IDENTITIES), 4, seed=seed),
    "pk": lambda seed: PKSampler(IDENTITIES, p=2, k=3, seed=seed),
    "pairs": lambda seed: PairSampler(IDENTITIES, pairs=4, seed=seed),
    "triplets": lambda seed: TripletSampler(IDENTITIES, triplets=3, seed=seed),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_batch_follows_from_seed_and_iteration_alone(name: str) -> None:
    first, second, other = SAMPLERS[name](1), SAMPLERS[name](1), SAMPLERS[name](2)
    later = second.batch(7)
    for iteration in range(8):
        last = first.batch(iteration)
    np.testing.assert_array_equal(last, later)
    assert any(first.batch(k).tolist() != other.batch(k).tolist() for k in range(3))
    assert first.batch(0).tolist() != first.batch(first.batches_per_epoch).tolist()


def test_shuffled_shows_every_crop_in_an_epoch() -> None:
    batches = epoch(ShuffledSampler(19, 4), 2)
    assert [len(batch) for batch in batches] == [4] * 5
    assert set(np.concatenate(batches).tolist()) == set(range(19))


def test_shuffled_fills_a_batch_that_is_larger_than_the_data() -> None:
    rows = ShuffledSampler(3, 8).batch(0)
    assert sorted(np.bincount(rows).tolist()) == [2, 3, 3]


def test_pk_gives_k_crops_of_p_identities() -> None:
    for batch in epoch(PKSampler(IDENTITIES, p=2, k=3)):
        groups = IDENTITIES[batch].reshape(2, 3)
        assert (groups == groups[:, :1]).all()
        assert groups[0, 0] != groups[1, 0]


def test_pk_drops_no_identity_however_small() -> None:
    sampler = PKSampler(IDENTITIES, p=2, k=4)
    for number in range(5):
        assert set(IDENTITIES[np.concatenate(epoch(sampler, number))].tolist()) == {3, 5, 8, 9, 11}


def test_pk_repeats_a_crop_only_where_there_are_too_few() -> None:
    for batch in epoch(PKSampler(IDENTITIES, p=5, k=4)):
        for group in batch.reshape(5, 4):
            available = int(np.sum(IDENTITIES[group[0]] == IDENTITIES))
            assert len(set(group.tolist())) == min(4, available)


def test_camera_aware_pk_spreads_an_identity_over_its_cameras() -> None:
    identities = np.repeat([1, 2], 12)
    cameras = np.array([1] * 9 + [2] * 2 + [3] + [1] * 11 + [2])
    for batch in epoch(PKSampler(identities, p=2, k=3, cameras=cameras), 3):
        seen = {int(identity): set(cameras[batch][identities[batch] == identity].tolist()) for identity in (1, 2)}
        assert seen == {1: {1, 2, 3}, 2: {1, 2}}


def test_pk_refuses_more_identities_than_there_are() -> None:
    with pytest.raises(DataError, match=r"5 identities to train on; at least 6 are needed\. Take a smaller batch"):
        PKSampler(IDENTITIES, p=6, k=2)


def test_pairs_are_the_same_and_different_in_turn() -> None:
    for batch in epoch(PairSampler(IDENTITIES, pairs=4), 1):
        sides = IDENTITIES[batch].reshape(4, 2)
        assert (sides[:, 0] == sides[:, 1]).tolist() == [True, False, True, False]


def test_triplets_hold_anchor_positive_and_negative() -> None:
    batches = epoch(TripletSampler(IDENTITIES, triplets=3))
    for batch in batches:
        anchors, positives, negatives = IDENTITIES[batch].reshape(3, 3).T
        assert (anchors == positives).all()
        assert (anchors != negatives).all()
    assert set(IDENTITIES[np.concatenate(batches)[0::3]].tolist()) == {3, 5, 8, 9, 11}


@pytest.mark.parametrize("build", [lambda ids: PairSampler(ids, pairs=2), lambda ids: TripletSampler(ids, triplets=2)])
def test_one_identity_makes_no_pairs(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="1 identities to train on; at least 2"):
        build(np.zeros(4, np.int64))


def test_drawing_more_than_there_is_takes_everything_before_anything_again() -> None:
    drawn = draw(np.array([4, 6, 7]), 7, np.random.default_rng(0))
    assert sorted(np.unique(drawn, return_counts=True)[1].tolist()) == [2, 2, 3]
