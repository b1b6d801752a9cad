"""How many threads a training may use, decided once."""

from __future__ import annotations

import os

import cv2
from threadpoolctl import threadpool_limits


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(count: int) -> int:
    """Give the network ``count`` threads and every other library one, for the whole process.

    Call it after the framework has been imported. Two pools that each take all
    cores make training several times slower.

    Parameters
    ----------
    count : 0: one for each core.

    Returns
    -------
    the number of threads.
    """
    import sys

    threads = count or available_cores()
    cv2.setNumThreads(1)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
    threadpool_limits(limits=threads, user_api="openmp")
    return threads
