"""Who gets how many threads."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest
from threadpoolctl import threadpool_info

from pipeline.threads import ThreadPlan, available_cores, limit_thread_pools, plan_threads


def test_the_networks_get_every_core_and_the_rest_one() -> None:
    assert plan_threads(4) == ThreadPlan(networks=4, blas=1, opencv=1)


def test_a_wish_changes_the_networks_alone() -> None:
    assert plan_threads(4, requested=2) == ThreadPlan(networks=2, blas=1, opencv=1)


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="networks is -1"):
        plan_threads(4, requested=-1)


@pytest.mark.parametrize(("text", "cores"), [("50000 100000\n", 1), ("100000 100000", 1), ("1 100000", 1)])
def test_a_containers_quota_lowers_the_cores(tmp_path: Path, text: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert available_cores(tmp_path / "cpu.max") == cores


@pytest.mark.parametrize("text", ["max 100000\n", "nonsense", "", "9900000 100000"])
def test_without_a_lower_quota_the_affinity_counts(tmp_path: Path, text: str) -> None:
    (tmp_path / "cpu.max").write_text(text)
    expected = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert available_cores(tmp_path / "cpu.max") == expected
    assert available_cores(tmp_path / "absent") == expected


def test_the_limits_reach_the_libraries() -> None:
    before = cv2.getNumThreads()
    try:
        plan = limit_thread_pools(ThreadPlan(networks=2, blas=1, opencv=1))
        assert plan.networks == 2
        assert cv2.getNumThreads() == 1
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}
    finally:
        cv2.setNumThreads(before)
