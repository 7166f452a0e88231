"""The description of the API."""

from __future__ import annotations

import openapi_spec_validator


def test_the_description_is_openapi_and_names_every_address(client):
    told = client.get("/api/openapi.json").json
    openapi_spec_validator.validate(told)
    rules = {r.rule for r in client.application.url_map.iter_rules() if r.rule.startswith("/api/")}
    assert rules == set(told["paths"])
