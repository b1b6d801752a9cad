"""The one tree of exceptions. Each carries a message code and its parameters."""

from __future__ import annotations

from typing import Any

from messages import render


class ResightError(Exception):
    """Something that a user can be told about.

    Parameters
    ----------
    code : a key of `messages.MESSAGES`.
    params : the values its sentence names; JSON types only.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return render(self.code, self.params)


class MediaError(ResightError):
    """A file that cannot be processed; its user can mend that."""


class ModelError(ResightError):
    """Missing, mismatched or unreadable weights, or an unknown model name."""


class DataError(ResightError):
    """Labelled pictures or embeddings that cannot be judged or trained on as they are."""


class RequestError(ResightError):
    """An HTTP request that cannot be carried out.

    Parameters
    ----------
    status : the HTTP status to answer with.
    """

    def __init__(self, code: str, *, status: int, **params: Any) -> None:
        super().__init__(code, **params)
        self.status = status


class AttemptStopped(Exception):
    """The running attempt must end without a result; raised from a progress callback."""


class JobCancelled(AttemptStopped):
    """A user cancelled the job."""


class LeaseLost(AttemptStopped):
    """The row is no longer this attempt's: another worker took it over, or it was deleted."""


class WorkerStopping(AttemptStopped):
    """The worker shuts down; the job goes back to the queue."""
