"""The re-identification library: features, distances, training and judging."""
