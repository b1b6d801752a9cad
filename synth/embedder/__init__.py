"""Our own embedder of people: sprites, batches, network, training, export."""
