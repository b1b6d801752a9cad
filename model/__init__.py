"""Detectors, embedders and networks: one file a backend, behind `model.protocols`."""
