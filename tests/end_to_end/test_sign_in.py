"""Signing in for real: Streamlit's OpenID Connect against a provider of our own, in a browser."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from PIL import Image

from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy, streamlit_command, streamlit_environment
from storage.projects import list_annotators
from tests.end_to_end.conftest import end_with_all_descendants, free_port, look_until, plain_environment

pytest.importorskip("authlib", reason="signing in needs labelloop[login]")
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ACCOUNT = "dora@example.org"


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return packed(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider(BaseHTTPRequestHandler):
    """Says to everybody who asks that they are `account`; at first Dora."""

    account: ClassVar[dict[str, object]] = {"sub": "1", "email": ACCOUNT, "name": "Dora"}
    key: ClassVar = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    nonce: ClassVar[str] = ""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        here = f"http://{self.headers['Host']}"
        if asked.path == "/authorize":
            given = {name: values[0] for name, values in parse_qs(asked.query).items()}
            type(self).nonce = given.get("nonce", "")
            self.send_response(302)
            back = urlencode({"code": "code", "state": given["state"]})
            self.send_header("Location", f"{given['redirect_uri']}?{back}")
            self.end_headers()
        elif asked.path == "/keys":
            public = self.key.public_key().public_numbers()
            own = {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": number(public.n), "e": number(public.e)}
            self.say({"keys": [own]})
        else:
            self.say(
                {
                    "issuer": here,
                    "authorization_endpoint": f"{here}/authorize",
                    "token_endpoint": f"{here}/token",
                    "jwks_uri": f"{here}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        now = int(time.time())
        claims = {"iss": f"http://{self.headers['Host']}", "aud": "labelloop", **self.account}
        claims |= {"iat": now, "exp": now + 3600, "nonce": self.nonce}
        head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        signed = ".".join(packed(json.dumps(part).encode()) for part in (head, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{signed}.{packed(signature)}"
        self.say({"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    def say(self, content: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_given: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("team")
    for shade in range(60):  # enough for a page of each tab, which takes some ahead
        path = folder / "images" / f"{shade}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8), shade).save(path)
    settings = ProjectSettings(name="team")
    return make_project(folder / "team", settings=settings, classes=["cat", "dog"], data=folder / "images").project


@pytest.fixture(scope="module")
def address(project: Project, provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with guarded_screens(project, provider, tmp_path_factory.mktemp("here") / "here") as url:
        yield url


@contextmanager
def guarded_screens(project: Project, provider: str, folder: Path) -> Iterator[str]:
    """The screens, started where Streamlit finds secrets with an [auth] section."""
    port = free_port()
    secrets = folder / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{"secret" * 8}"
client_id = "labelloop"
client_secret = "known to both"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
    )
    environment = {**plain_environment(), **streamlit_environment(project), "NO_PROXY": "127.0.0.1,localhost"}
    process = subprocess.Popen(
        streamlit_command(port), env=environment, cwd=secrets.parent.parent, stdout=subprocess.DEVNULL
    )
    try:
        look_until(lambda: is_healthy(port), "the screens")
        yield f"http://localhost:{port}"
    finally:
        end_with_all_descendants(process)


def annotators(project: Project) -> list[str]:
    database = project.open_database()
    try:
        with database.read() as session:
            return list_annotators(session, project_id=project.project_id(database))
    finally:
        database.close()


def test_who_signed_in_labels_under_the_account_and_nobody_else_gets_in(page, project, address):
    page.goto(f"{address}/?annotator=cleo")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(f"Signed in as {ACCOUNT}").wait_for()
    assert page.locator(".st-key-annotator_name").count() == 0

    look_until(lambda: annotators(project), "the account to be registered")
    assert ACCOUNT in annotators(project)
    assert "cleo" not in annotators(project)

    page.goto(f"{address}/review?annotator=cleo")
    page.get_by_text(f"Signed in as {ACCOUNT}").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


# Every other way to seem to be another is tried on the same function in tests/app/screens/test_who.py.
IMPOSTORS = ({"sub": "2", "email": f"{ACCOUNT}\u200b", "email_verified": True}, {"sub": "1 ", "name": ACCOUNT})


def test_accounts_that_would_be_another_are_people_of_their_own(browser, project, address, monkeypatch):
    shown = set()
    for account in (Provider.account, *IMPOSTORS):
        monkeypatch.setattr(Provider, "account", account)
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(address)
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_text("Signed in as").wait_for()
        shown.add(account["sub"])
        look_until(lambda: len(annotators(project)) >= len(shown), f"{account} to be a person of its own")
        context.close()
    assert len(set(annotators(project))) == 1 + len(IMPOSTORS)


def test_signing_out_in_one_tab_leaves_the_labeling_in_another(page, project, address):
    context = page.context.browser.new_context()
    leaving, labeling = context.new_page(), context.new_page()
    leaving.goto(address)
    leaving.get_by_role("button", name="Sign in").click()
    leaving.get_by_text("Signed in as").wait_for()
    labeling.goto(address)
    labeling.locator(".strip").wait_for(state="attached")
    leaving.get_by_role("button", name="Sign out").click()
    leaving.get_by_role("button", name="Sign in").wait_for()

    labeling.bring_to_front()
    labeling.get_by_role("button", name="cat").and_(labeling.locator(":enabled")).wait_for()
    labeling.keyboard.press("1")
    labeling.get_by_text("1 label in all").wait_for()
    labeling.get_by_text("All saved").wait_for()
    context.close()


def test_before_signing_in_nobody_makes_a_project_or_looks_into_folders(page, provider, tmp_path):
    with guarded_screens(Project(tmp_path / "new"), provider, tmp_path / "here") as address:
        for path in ("setup", "projects", ""):
            page.goto(f"{address}/{path}")
            page.get_by_role("button", name="Sign in").wait_for()
            assert page.get_by_label("Folder").count() == 0
            assert page.get_by_role("button", name="Browse").count() == 0
        page.goto(f"{address}/setup")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("A new project").wait_for()
        assert page.get_by_role("link", name="Projects").count() == 0
