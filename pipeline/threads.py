"""Share the cores out among the libraries that would each take all of them.

OpenBLAS, OpenCV, the networks, the decoder and the encoder each start a
thread for every core by default, and the ones that wait busily take time from
the others. Here is the one place that decides who gets how many.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import scipy.linalg
import scipy.optimize  # noqa: F401  (SciPy's own OpenBLAS must be loaded before it can be limited)
from threadpoolctl import threadpool_limits

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, kw_only=True)
class ThreadPlan:
    """How many threads each library gets.

    Attributes
    ----------
    networks : of onnxruntime or Paddle; pass it to `pipeline.lanes` and the model registry.
    blas : of OpenBLAS and MKL: the tracker's matrices are far too small to share out.
    opencv : of OpenCV's own pool: resizing runs in the lanes already. HOG, which needs more, sets it when it is built.
    """

    networks: int
    blas: int
    opencv: int

    def __post_init__(self) -> None:
        for name in ("networks", "blas", "opencv"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 thread is wanted")


def available_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Return how many cores this process may use, a container's quota included.

    Parameters
    ----------
    quota_file : holds ``<quota> <period>`` in microseconds, or ``max <period>``; may be absent.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text("ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file outside Linux; “max” where there is no quota
        return cores


def plan_threads(cores: int, *, requested: int = 0) -> ThreadPlan:
    """Share ``cores`` out.

    Parameters
    ----------
    cores : that the process may use, at least 1.
    requested : threads that the user wants for the networks; 0 leaves it to the plan.
    """
    return ThreadPlan(networks=requested or cores, blas=1, opencv=1)


def limit_thread_pools(plan: ThreadPlan | None = None) -> ThreadPlan:
    """Apply ``plan`` to the libraries of this process, for good, and return it.

    Call it once before a video is tracked, after a fork. The networks take
    their share when they are built: pass ``plan.networks`` to the registry.

    Parameters
    ----------
    plan : by default the one for all cores that this process may use.
    """
    plan = plan or plan_threads(available_cores())
    threadpool_limits(limits=plan.blas, user_api="blas")
    cv2.setNumThreads(plan.opencv)
    return plan
