"""Training: one loop over batches, a learner for each framework, recipes as data."""
