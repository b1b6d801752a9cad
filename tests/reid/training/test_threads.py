from __future__ import annotations

import cv2

from reid.training.threads import available_cores, limit_threads


def test_the_network_gets_the_threads_and_opencv_one() -> None:
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        assert limit_threads(2) == 2
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 1)
        assert limit_threads(0) == available_cores() >= 1
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
