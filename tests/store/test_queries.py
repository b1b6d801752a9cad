"""Searches by picture: claimed once, ended once, swept and expired."""

from __future__ import annotations

import numpy as np
import pytest

from errors import LeaseLost, RequestError
from store import queries
from store.queries import FoundPerson, QueryClaim
from store.tables import new_id
from tests.databases import NOON, after
from tests.store.identity_scene import Sessions

SOMEBODY = FoundPerson(0, "person", 0.9, (0.1, 0.2, 0.3, 0.9), np.array([0.6, 0.8], np.float32))


def add(sessions: Sessions, **options: int) -> str:
    query_id = new_id()
    with sessions.begin() as session:
        queries.add(session, query_id, 1, NOON, **options)
    return query_id


def take(sessions: Sessions, query_id: str, worker: str = "w1") -> QueryClaim | None:
    with sessions.begin() as session:
        return queries.claim(session, query_id, worker, NOON, 90)


def test_a_query_is_done_once_and_gives_people_with_vectors(sessions: Sessions) -> None:
    query_id = add(sessions)
    held = take(sessions, query_id)
    assert held is not None
    assert take(sessions, query_id) is None
    with sessions.begin() as session:
        queries.finish(session, held, [SOMEBODY], embedder="hsv_stripes", now=NOON)
    with sessions() as session:
        row = queries.get(session, query_id)
        assert (row.state, row.embedder, [person.number for person in row.people]) == ("done", "hsv_stripes", [1])
        assert np.frombuffer(queries.person(session, query_id, 1).vector, "<f4").tolist() == SOMEBODY.vector.tolist()
        with pytest.raises(RequestError):
            queries.person(session, query_id, 2)
    with pytest.raises(LeaseLost), sessions.begin() as session:
        queries.fail(session, held, "search.nobody_found", {}, NOON)


def test_an_abandoned_query_is_tried_again_and_then_given_up(sessions: Sessions) -> None:
    query_id = add(sessions)
    lost = take(sessions, query_id)
    with sessions.begin() as session:
        queries.abandon(session, query_id, "another worker", after(10))
        assert queries.sweep(session, after(20)) == []
        queries.abandon(session, query_id, "w1", after(10))
        assert queries.sweep(session, after(20)) == [query_id]
        assert queries.forgotten(session, "w1", after(20), patience_s=15) == [query_id]
        queries.note_rung(session, [query_id], after(20))
        assert queries.forgotten(session, "w1", after(21), patience_s=15) == []
    assert take(sessions, query_id) is not None
    assert lost is not None
    with pytest.raises(LeaseLost), sessions.begin() as session:
        queries.finish(session, lost, [SOMEBODY], embedder="hsv_stripes", now=NOON)
    with sessions.begin() as session:
        assert queries.sweep(session, after(1000)) == [query_id]
        row = queries.get(session, query_id)
        assert (row.state, row.error_code, row.people) == ("failed", "search.attempts_exhausted", [])


def test_old_queries_expire_with_their_people(sessions: Sessions) -> None:
    query_id = add(sessions)
    held = take(sessions, query_id)
    assert held is not None
    with sessions.begin() as session:
        queries.finish(session, held, [SOMEBODY], embedder="hsv_stripes", now=NOON)
        assert queries.remove_expired(session, after(99), kept_s=100) == []
        assert queries.remove_expired(session, after(101), kept_s=100) == [query_id]
    with sessions() as session, pytest.raises(RequestError) as raised:
        queries.person(session, query_id, 1)
    assert raised.value.code == "search.query_gone"


def test_too_many_waiting_queries_are_refused(sessions: Sessions) -> None:
    add(sessions, most_waiting=1)
    with pytest.raises(RequestError) as raised:
        add(sessions, most_waiting=1)
    assert (raised.value.code, raised.value.status) == ("search.busy", 429)
