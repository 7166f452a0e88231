"""Access control and security headers."""

import io

import pytest

from genrenet.web.app import create_app
from genrenet.web.errors import ServeError
from genrenet.web.security import is_loopback
from tests.helpers.served import make_service

TOKEN = "a token that is long"


@pytest.fixture(scope="module")
def service(music, checkpoint):
    return make_service(music, checkpoint)


@pytest.fixture
def local(service, tmp_path):
    return create_app(service, str(tmp_path)).test_client()


@pytest.fixture
def public(service, tmp_path):
    return create_app(service, str(tmp_path), host="0.0.0.0", token=TOKEN).test_client()


def test_every_answer_has_the_headers(local):
    for path in ("/", "/api/health", "/api/nothing", "/nothing", "/static/base.css"):
        answer = local.get(path)
        answer.close()
        headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_other_names_and_other_sites_are_refused(local):
    for host in ("127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:80", "127.0.0.1"):
        assert local.get("/api/health", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost:x"):
        assert local.get("/api/health", headers={"Host": host}).status_code >= 400, host
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        data = {"file": (io.BytesIO(b"x"), "x.mp3")}
        answer = local.post("/api/classify", data=data, headers=headers)
        assert answer.status_code == 403
        assert "other sites" in answer.json["error"]
    fine = local.post("/api/classify", json={}, headers={"Sec-Fetch-Site": "same-origin"})
    assert fine.status_code == 400


def test_elsewhere_only_the_token_opens(public):
    assert public.get("/api/health").json == {"status": "ok"}
    for path in ("/api/library", "/api/models", "/api/audio?path=x.mp3", "/api/openapi.json"):
        answer = public.get(path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert public.post("/api/classify", json={"path": "x"}).status_code == 401
    wrong = {"Authorization": "Bearer not this one"}
    assert public.get("/api/models", headers=wrong).status_code == 401
    assert public.get("/api/models", headers={"Authorization": "Bearer é"}).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert public.get("/api/models", headers=right).status_code == 200
    assert public.get("/api/health", headers=right).json["models"]


def test_the_page_asks_for_the_token_once(public):
    assert public.get("/").location == "/token"
    asked = public.get("/token")
    assert asked.status_code == 401
    assert public.post("/token", data={"token": "wrong"}).status_code == 401
    assert public.get("/").status_code == 302
    entered = public.post("/token", data={"token": TOKEN})
    assert entered.location == "/"
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN.replace(" ", "") not in cookie
    assert public.get("/").status_code == 200
    assert public.get("/api/models").status_code == 200


def test_the_printed_link_opens_the_page(public):
    assert public.get("/token", query_string={"token": TOKEN}).location == "/"
    assert public.get("/").status_code == 200


def test_tokens_are_made_where_they_are_needed_and_must_be_long(service, tmp_path):
    made = [create_app(service, str(tmp_path), host="0.0.0.0").config["TOKEN"] for _ in range(2)]
    assert len(set(made)) == 2
    assert min(map(len, made)) >= 30
    assert create_app(service, str(tmp_path)).config["TOKEN"] is None
    with pytest.raises(ServeError, match=r"easy to guess.*at least 12"):
        create_app(service, str(tmp_path), token="short")


def test_loopback_addresses():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost", "[::1]")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "example.org", "")))
