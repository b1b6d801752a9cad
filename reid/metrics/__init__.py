"""Judging embeddings by the protocols of the field. NumPy alone: nothing heavy is loaded.

`evaluate` : Market-1501, DukeMTMC-reID, CUHK03 767/700, VeRi-776.
`evaluate_single_shot` : CUHK03 classic. `evaluate_vehicleid` : VehicleID.
`evaluate_leave_one_out` : Recall@k over all pictures, as Paddle's metric learning does.
`evaluate_ranking` : Market's rule over distances of any origin, e.g. re-ranked ones.
"""

from reid.metrics.average_precision import inverse_negative_penalty, step_precision, triangle_precision
from reid.metrics.evaluation import Evaluation
from reid.metrics.leave_one_out import evaluate_leave_one_out
from reid.metrics.market1501 import evaluate, evaluate_ranking
from reid.metrics.single_shot import evaluate_single_shot, evaluate_vehicleid

__all__ = [
    "Evaluation",
    "evaluate",
    "evaluate_leave_one_out",
    "evaluate_ranking",
    "evaluate_single_shot",
    "evaluate_vehicleid",
    "inverse_negative_penalty",
    "step_precision",
    "triangle_precision",
]
