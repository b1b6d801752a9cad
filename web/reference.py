"""The OpenAPI document rearranged for a page that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shown = dict[str, Any]
_METHODS = ("get", "head", "options", "post", "patch", "put", "delete")


def operations(spec: Mapping[str, Any]) -> list[Shown]:
    """Return the operations below their tags, in the order of the document's tags."""
    groups: dict[str, list[Shown]] = {tag["name"]: [] for tag in spec.get("tags", [])}
    for path, methods in spec["paths"].items():
        for method in _METHODS:
            if method in methods:
                shown = _operation(method, path, methods[method])
                groups.setdefault(methods[method]["tags"][0], []).append(shown)
    return [{"tag": tag, "operations": found} for tag, found in groups.items() if found]


def schema_tables(spec: Mapping[str, Any]) -> list[Shown]:
    """Return the schemas with a row for each field."""
    schemas = spec.get("components", {}).get("schemas", {})
    return [{"name": name, "fields": _fields(schemas[name])} for name in sorted(schemas)]


def type_name(schema: Mapping[str, Any]) -> str:
    """Return a schema's type in words, e.g. ``array of Track`` or ``string or null``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            names = [type_name(part) for part in schema[key]]
            return " or ".join(names) + (" or null" if schema.get("nullable") else "")
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        kind = f"array of {type_name(schema.get('items', {}))}"
    if "enum" in schema:
        kind = " | ".join(str(value) for value in schema["enum"] if value not in ("", None))
    elif schema.get("format") not in (None, "float"):
        kind = f"{kind} ({schema['format']})"
    return f"{kind} or null" if schema.get("nullable") else str(kind)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Shown:
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": [
            {
                "name": parameter["name"],
                "in": parameter["in"],
                "required": parameter.get("required", False),
                "type": type_name(parameter.get("schema", {})),
                "description": parameter.get("description", ""),
            }
            for parameter in operation.get("parameters", [])
        ],
        "body": _contents(operation.get("requestBody", {})),
        "responses": [
            {
                "status": status,
                "description": answer.get("description", ""),
                "schema": next((item["schema"] for item in _contents(answer)), ""),
            }
            for status, answer in sorted(operation.get("responses", {}).items())
        ],
    }


def _contents(holder: Mapping[str, Any]) -> list[Shown]:
    return [
        {"content_type": media_type, "schema": type_name(content.get("schema", {}))}
        for media_type, content in holder.get("content", {}).items()
    ]


def _fields(schema: Mapping[str, Any]) -> list[Shown]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "type": type_name(field),
            "required": name in required,
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]
