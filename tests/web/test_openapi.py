"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import validate

from tests.web.sites import Site, begin_job

JSON = dict[str, Any]


@pytest.fixture
def spec(site: Site) -> JSON:
    document: JSON = site.client.get("/api/v1/openapi.json").get_json()
    return document


def closed(schema: Any, spec: JSON) -> Any:
    """Return a schema as plain JSON Schema: references replaced, null allowed where it is, no other keys."""
    if isinstance(schema, list):
        return [closed(part, spec) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return closed(spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]], spec)
    made = {key: closed(value, spec) for key, value in schema.items() if key not in ("nullable", "example")}
    if "properties" in made and made.get("type") == "object":
        made.update(additionalProperties=False, required=list(made["properties"]))
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def check(site: Site, spec: JSON, method: str, address: str, template: str, **options: Any) -> None:
    """Send a request and compare its answer with what the document says."""
    answer = site.client.open(address, method=method, **options)
    content = spec["paths"][template][method.lower()]["responses"][str(answer.status_code)]["content"]
    schema = content[answer.mimetype]["schema"]
    assert list(Draft4Validator(closed(schema, spec)).iter_errors(answer.get_json())) == []


def test_the_document_is_valid(spec: JSON) -> None:
    validate(spec)
    assert spec["openapi"].startswith("3.")


def test_every_route_and_method_is_in_it_and_nothing_else(site: Site, spec: JSON) -> None:
    routes = set()
    for rule in site.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1"):
            continue
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        methods = rule.methods or set()
        automatic = {"HEAD"} if "GET" in methods else set()
        if getattr(rule, "provide_automatic_options", None) is not False:
            automatic.add("OPTIONS")
        routes |= {(path, method.lower()) for method in methods - automatic}
    described = {(path, method) for path, methods in spec["paths"].items() for method in methods}
    assert described == routes
    assert len(described) > 25


def test_everything_is_described(spec: JSON) -> None:
    ids = []
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            ids.append(operation["operationId"])
            assert operation["summary"].endswith("."), (path, method)
            assert operation["tags"][0] in {tag["name"] for tag in spec["tags"]}
            assert {"400", "500"} <= set(operation["responses"])
            assert any(status < "400" for status in operation["responses"]), (path, method)
    assert len(ids) == len(set(ids))
    for name, schema in spec["components"]["schemas"].items():
        assert not name[-1].isdigit(), f"{name} is described twice"
        assert schema["properties"]


def test_requests_name_their_bodies(spec: JSON) -> None:
    body = spec["paths"]["/api/v1/videos"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    required = spec["components"]["schemas"]["VideoFile"]["required"]
    assert set(required) == {"camera", "file"}
    assert "requestBody" in spec["paths"]["/api/v1/videos/{video_id}"]["patch"]


def test_answers_are_as_described(site: Site, spec: JSON, done_video: JSON) -> None:
    site.client.post(f"{done_video['url']}/jobs")
    video, job = done_video["url"], done_video["job"]["url"]
    for address, template in (
        ("/api/v1/videos", "/api/v1/videos"),
        ("/api/v1/jobs", "/api/v1/jobs"),
        ("/api/v1/cameras", "/api/v1/cameras"),
        ("/api/v1/health", "/api/v1/health"),
        (video, "/api/v1/videos/{video_id}"),
        (job, "/api/v1/jobs/{job_id}"),
        (f"{video}/tracks", "/api/v1/videos/{video_id}/tracks"),
        (f"{video}/boxes", "/api/v1/videos/{video_id}/boxes"),
        (f"{video}/presence", "/api/v1/videos/{video_id}/presence"),
        ("/api/v1/videos?limit=x", "/api/v1/videos"),
        (f"/api/v1/jobs/{'0' * 32}", "/api/v1/jobs/{job_id}"),
    ):
        check(site, spec, "GET", address, template)
    check(site, spec, "PATCH", video, "/api/v1/videos/{video_id}", json={"name": "x.mp4"})
    check(site, spec, "POST", f"{video}/jobs", "/api/v1/videos/{video_id}/jobs")


def test_a_waiting_and_a_running_video_are_as_described(site: Site, spec: JSON, video: JSON) -> None:
    check(site, spec, "GET", video["url"], "/api/v1/videos/{video_id}")
    begin_job(site, video["job"]["id"])
    check(site, spec, "GET", video["url"], "/api/v1/videos/{video_id}")
    check(site, spec, "POST", video["job"]["cancel_url"], "/api/v1/jobs/{job_id}/cancel")


def test_the_check_notices_a_missing_and_an_undescribed_key(spec: JSON) -> None:
    validator = Draft4Validator(closed({"$ref": "#/components/schemas/Camera"}, spec))
    camera = {"id": 1, "name": "a", "place": "", "time_zone": "", "clock_offset_s": 0.0}
    assert validator.is_valid(camera)
    assert not validator.is_valid({**camera, "more": 1})
    assert not validator.is_valid({"id": 1})


def test_the_readable_page_shows_every_operation(site: Site, spec: JSON) -> None:
    page = site.client.get("/api").text
    for path in spec["paths"]:
        assert path in page
    for name in spec["components"]["schemas"]:
        assert name in page
