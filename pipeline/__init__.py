"""Video in, tracks out: the only loops over frames."""
