"""Search over all tracks: the index of vectors, ranking, and what may be said of a score."""
