"""How the screens are served: the port, the command line of Streamlit with its guards, its health."""

from __future__ import annotations

import errno
import http.client
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from app.errors import PortTakenError, SupervisorError
from app.project.project import Project

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501  # Streamlit's own habit
PORTS_TRIED = 200
PROJECT_VARIABLE = "LABELLOOP_PROJECT"
SCREENS = Path(__file__).parents[1] / "screens" / "served.py"

# Streamlit by itself binds every interface, shows tracebacks and reports usage. Given as flags, which beat any
# config.toml that lies in the person's home or working folder.
GUARDS: Mapping[str, str] = {
    "server.address": ADDRESS,
    "server.headless": "true",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "server.enableStaticServing": "false",
    "server.maxUploadSize": "500",  # MB; the zip upload of the setup screen
    "server.maxMessageSize": "50",  # MB
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": ADDRESS,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    # Takes the key "c" and the developer menu away and leaves the choice of theme. No mode takes "r" away: in
    # Streamlit 1.67 it reruns the script whatever the mode, which is harmless since one action is one transaction.
    "client.toolbarMode": "viewer",
    "runner.magicEnabled": "false",
    # Streamlit looks through all of memory for garbage after each action: half of what a key costs the server, and it
    # holds everybody up. Python does so by itself when there may be some.
    "runner.postScriptGC": "false",
    "logger.level": "warning",
}
# By environment and not by flag: an older Streamlit ends on a flag it does not know. It refuses a page of another name
# that resolves to this machine (DNS rebinding).
GUARDS_IN_ENVIRONMENT: Mapping[str, str] = {"STREAMLIT_SERVER_ALLOWED_HOSTS": f"{ADDRESS} localhost"}


def streamlit_command(port: int) -> list[str]:
    """Return the command that serves the screens on a port of this machine alone."""
    options = [f"--{name}={value}" for name, value in {**GUARDS, "server.port": str(port)}.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SCREENS), *options]


def streamlit_environment(project: Project) -> dict[str, str]:
    """Return what the screens find in their environment."""
    return {PROJECT_VARIABLE: str(project.folder), **GUARDS_IN_ENVIRONMENT}


def url_of(port: int) -> str:
    """Return the address a person opens."""
    return f"http://{ADDRESS}:{port}"


def choose_port(wanted: int | None) -> int:
    """Return the port wanted, or the first free one from 8501 up.

    Raises:
        PortTakenError: When the port wanted is in use.
        SupervisorError: When it may not be used, or no port is free.
    """
    if wanted is not None:
        if not _is_free(wanted):
            raise PortTakenError(wanted)
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _is_free(port):
            return port
    raise SupervisorError(f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free; give one with --port.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server itself does: a port whose last owner ended a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise SupervisorError(f"Port {port} cannot be used: {error.strerror}.") from error
    return True


def is_healthy(port: int) -> bool:
    """Ask the screens whether they serve; ``/healthz`` would answer 200 to anything."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
