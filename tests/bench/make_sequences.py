"""Small sequences in MOT layout: a red and a blue person cross a grey picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

LENGTH, RATE, WIDTH, HEIGHT = 40, 10, 320, 240
PEOPLE = {1: ((40, 40, 220), 20.0, 6.0), 2: ((220, 60, 40), 270.0, -6.0)}


def box(person: int, frame: int) -> tuple[float, float, float, float]:
    """Return left, top, width and height."""
    _, left, speed = PEOPLE[person]
    return left + speed * frame, 60.0 + 30 * (person - 1), 30.0, 80.0


def picture(frame: int, pan: int = 0) -> np.ndarray:
    """Draw the people before a wall with marks that a camera's motion can be told by."""
    rng = np.random.default_rng(1)
    wall = np.full((HEIGHT, 3 * WIDTH, 3), 128, np.uint8)
    for x, y in rng.integers((0, 0), (3 * WIDTH - 6, HEIGHT - 6), (400, 2)):
        wall[y : y + 5, x : x + 5] = rng.integers(0, 255, 3)
    image = wall[:, WIDTH + pan : 2 * WIDTH + pan].copy()
    for person, (colour, *_) in PEOPLE.items():
        left, top, width, height = box(person, frame)
        corner, end = (round(left) - pan, round(top)), (round(left + width) - pan, round(top + height))
        cv2.rectangle(image, corner, end, colour, -1)
    return image


def write_sequence(folder: Path, *, has_classes: bool, score: str = "0.9", skipped: range = range(0)) -> Path:
    """Write pictures, ground truth and boxes; ``skipped`` frames have no box of the first person."""
    for name in ("img1", "gt", "det"):
        (folder / name).mkdir(parents=True)
    truth, found = [], []
    for frame in range(LENGTH):
        cv2.imwrite(str(folder / "img1" / f"{frame + 1:06d}.jpg"), picture(frame))
        for person in PEOPLE:
            where = ",".join(f"{value:.1f}" for value in box(person, frame))
            truth.append(f"{frame + 1},{person},{where},1,{'1,1.0' if has_classes else '-1,-1,-1'}\n")
            if person == 2 or frame not in skipped:
                found.append(f"{frame + 1},-1,{where},{score},-1,-1,-1\n")
    (folder / "gt" / "gt.txt").write_text("".join(truth))
    (folder / "det" / "det.txt").write_text("".join(found))
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={LENGTH}\nframeRate={RATE}\n")
    return folder
