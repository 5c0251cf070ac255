"""Where people are in a picture, by a detection network that the user supplies as ONNX."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput, NotFound, Unavailable

Floats = npt.NDArray[np.float64]


def needed(name: str) -> Any:
    """Return a library of the extra ``edge``.

    Raises
    ------
    Unavailable
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unavailable(name, "must be installed", "pip install 'anlan[edge]'") from None


class Detector:
    """A network from a picture to boxes.

    The input is one picture of shape (1, 3, height, width), RGB, 0 to 1. Two outputs are understood: rows of ``x1, y1,
    x2, y2, score[, class]`` in pixels of the input, shape (n, 5 or 6) or (1, n, 5 or 6), already thinned; or columns of
    ``cx, cy, w, h`` and a score for each class, shape (1, 4 + classes, n), which are thinned here.

    Parameters
    ----------
    path : Path
        The network.
    counted_class : int
        Number of the class that is counted.
    least_score : float
        Boxes below it are passed over.
    overlap : float
        Of two boxes that share more (intersection over union), the one of the lower score is passed over.
    """

    def __init__(self, path: Path, *, counted_class: int = 0, least_score: float = 0.4, overlap: float = 0.6) -> None:
        if not path.is_file():
            raise NotFound(f"file {path}", "does not exist", "give a detection network as ONNX")
        if not (0 < least_score < 1 and 0 < overlap <= 1 and counted_class >= 0):
            raise BadInput(
                f"least_score={least_score}, overlap={overlap}, class={counted_class}",
                "must be in (0, 1), (0, 1] and >= 0",
                "try 0.4, 0.6 and 0",
            )
        runtime = needed("onnxruntime")
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._network = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception:  # noqa: BLE001 - its faults have no common kind
            raise BadInput(path.name, "must be a network that ONNX Runtime reads", "export it as ONNX again") from None
        entry = self._network.get_inputs()[0]
        shape = entry.shape
        if len(shape) != 4 or shape[1] != 3:
            raise BadInput(f"input {shape}", "must be (1, 3, height, width)", "export the network for one RGB picture")
        self._entry = entry.name
        self.height, self.width = (side if isinstance(side, int) else 640 for side in shape[2:])
        self._class = counted_class
        self._least_score = least_score
        self._overlap = overlap

    def feet(self, picture: npt.NDArray[np.uint8]) -> Floats:
        """Return where people stand: the middle of each box's lower edge, as shares of the picture, shape (n, 2).

        ``picture`` is (height, width, 3) in the order blue, green, red, as OpenCV reads it.
        """
        small = needed("cv2").resize(picture, (self.width, self.height))
        entry = np.ascontiguousarray(small[None, :, :, ::-1].transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        boxes = self._boxes(np.asarray(self._network.run(None, {self._entry: entry})[0], float))
        feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2 / self.width, boxes[:, 3] / self.height])
        return np.clip(feet, 0, 1)

    def _boxes(self, made: Floats) -> Floats:
        rows = made[0] if made.ndim == 3 and made.shape[0] == 1 else made
        if rows.ndim == 2 and rows.shape[1] in {5, 6}:
            of_class = rows[:, 5] == self._class if rows.shape[1] == 6 else np.ones(len(rows), bool)
            return rows[of_class & (rows[:, 4] >= self._least_score), :4]
        if rows.ndim == 2 and rows.shape[0] > 4 + self._class:
            scores = rows[4 + self._class]
            likely = scores >= self._least_score
            centre, half = rows[:2, likely].T, rows[2:4, likely].T / 2
            return thinned(np.hstack([centre - half, centre + half]), scores[likely], self._overlap)
        raise BadInput(
            f"output of shape {made.shape}",
            "must be (n, 5 or 6), (1, n, 5 or 6) or (1, 4 + classes, n)",
            "export the network in one of these forms",
        )


def thinned(boxes: Floats, scores: Floats, overlap: float) -> Floats:
    """Return the boxes (n, 4) without those that share more than ``overlap`` with one of a higher score.

    Examples
    --------
    >>> thinned(np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]]), np.array([0.8, 0.9, 0.7]), 0.5)
    array([[ 1.,  0., 11., 10.],
           [20.,  0., 30., 10.]])
    """
    order = np.argsort(-scores)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        size = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.clip(size, 0, None), axis=1)
        whole = np.prod(boxes[best, 2:] - boxes[best, :2]) + np.prod(boxes[rest, 2:] - boxes[rest, :2], axis=1) - shared
        order = rest[shared <= overlap * whole]
    return boxes[np.array(kept, int)]
