"""HTTP only: the pages and the JSON API. A view parses, calls one function, renders."""
