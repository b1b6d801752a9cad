"""People, vehicles, streets and cameras, rendered with exact truth."""
