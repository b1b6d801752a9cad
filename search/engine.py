"""Answer "where else was this one?": index, filters, ways between cameras and re-ranking, without a web site."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from errors import RequestError
from records import FloatArray, IntArray
from reid.rerank import RerankOptions, rerank
from search import calibration, transitions
from search.calibration import Calibration
from search.index import Found, Index, View, best_rows
from search.question import Question, RowJudge, Subject, resolve
from store import models, search
from store.search import Sight
from store.search_tables import EmbeddingModel

MAX_ANSWERS = 1000
"""How far down the ranking anybody can page."""
RERANKED = 300
"""How many of the best are put in order once more."""
_RERANKING = RerankOptions(k1=12, k2=4)


@dataclass(frozen=True, eq=False)
class Answer:
    """A track that may show who was looked for.

    Attributes
    ----------
    similarity : the cosine, 1 for the same picture.
    score : the similarity with what the ways between cameras added.
    word : `search.calibration.PROBABLE`, `POSSIBLE` or `UNLIKELY`; empty while the model is not calibrated.
    """

    sight: Sight
    similarity: float
    score: float
    word: str


@dataclass(frozen=True, eq=False)
class Answers:
    """A part of the ranking.

    Attributes
    ----------
    total : how many tracks were compared, those left out by filters not counted.
    has_more : whether there is a next part.
    described : how many tracks the model has described in all.
    """

    subject: Subject
    answers: tuple[Answer, ...]
    total: int
    has_more: bool
    described: int
    model: str
    calibration: Calibration | None


class Engine:
    """Searches the tracks of one installation; may be used by several threads.

    Parameters
    ----------
    folder : for the vector files; what is in it can be deleted at any time and is made again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._indices: dict[str, Index] = {}
        self._lock = threading.Lock()

    def view(self, session: Session, model: str) -> View:
        """Return what a model has described, as the database is now.

        Raises
        ------
        RequestError
            ``search.no_model`` while nothing was described by any model of that name.
        """
        known = session.get(EmbeddingModel, model) if model else None
        if known is None:
            raise RequestError("search.no_model", status=409)
        with self._lock:
            index = self._indices.get(model)
            if index is None:
                index = self._indices[model] = Index(self._folder, model, known.dimension)
        return index.view(session)

    def answer(self, session: Session, question: Question) -> Answers:
        """Return the tracks that are most alike to who is looked for.

        Raises
        ------
        RequestError
            as `view` and `search.question.resolve` do.
        """
        model = models.active(session).name
        view = self.view(session, model)
        subject = resolve(session, question, model)
        ways = transitions.known_ways(session) if question.uses_ways else {}
        judge = RowJudge(view, subject, question.filters, ways)
        wanted = min(question.offset + question.limit, MAX_ANSWERS)
        count = max(wanted + 1, RERANKED if question.is_reranked else 0)
        found = _at_least(best_rows(view, subject.queries, judge, count=count), question.least)
        order = _reranked(view, subject.queries, found) if question.is_reranked else np.arange(len(found.rows))
        chosen = order[question.offset : wanted]
        measured = calibration.from_json(models.calibration_of(session, model))
        return Answers(
            subject,
            tuple(_answers(session, view, found, chosen, measured)),
            found.total,
            len(order) > wanted and wanted < MAX_ANSWERS,
            view.track_count,
            model,
            measured,
        )


def _at_least(found: Found, least: float | None) -> Found:
    if least is None:
        return found
    kept = found.similarities >= least
    return Found(found.rows[kept], found.similarities[kept], found.scores[kept], found.total)


def _reranked(view: View, queries: FloatArray, found: Found) -> IntArray:
    """Return the order of the rows by what they have in common with the query and each other."""
    if len(found.rows) < 3:
        return np.arange(len(found.rows))
    near = found.rows[:RERANKED]
    mean = queries.mean(axis=0, dtype=np.float64).astype(np.float32)[None]
    distances = rerank(mean, np.asarray(view.vectors[near]), _RERANKING)[0]
    first = np.lexsort((np.arange(len(near)), distances))
    return np.concatenate([first, np.arange(len(near), len(found.rows))])


def _answers(
    session: Session, view: View, found: Found, chosen: IntArray, measured: Calibration | None
) -> list[Answer]:
    ids = [int(view.track_ids[found.rows[place]]) for place in chosen]
    sights = search.sights(session, ids)
    return [
        Answer(
            sights[track_id],
            similarity := float(found.similarities[place]),
            float(found.scores[place]),
            "" if measured is None else measured.word(similarity),
        )
        for track_id, place in zip(ids, chosen, strict=True)
        if track_id in sights
    ]
