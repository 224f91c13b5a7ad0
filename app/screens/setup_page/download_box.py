"""The download of a network, beside the field that names it: what it is, then a yes, then how far it is."""

import threading
from dataclasses import dataclass, field

import streamlit as st

from app.project.hub import Consent, download, here, offer_of, offer_text
from app.screens.shared.plain_text import escaped
from loops.embeddings.hub import Offer
from loops.embeddings.own_source import NamedNetwork, named_network
from loops.errors import OwnEmbeddingError

LOOK_EVERY_S = 0.5


@dataclass
class Download:
    """One download: written by its thread, which a refresh or a closed tab does not end."""

    done: int = 0  # bytes
    size: int = 0
    error: str = ""  # why it ended early
    finished: threading.Event = field(default_factory=threading.Event)

    def run(self, network: NamedNetwork) -> None:
        """Fetch the network."""
        try:
            download(network, Consent(lambda _offer: None, self._count))
        except OwnEmbeddingError as error:
            self.error = str(error)
        finally:
            self.finished.set()

    def _count(self, done: int, size: int) -> None:
        self.done, self.size = done, size


@st.cache_resource(show_spinner=False)
def _downloads() -> dict[str, Download]:
    return {}


def download_box(source: str) -> None:
    """Draw nothing, unless the source is a network by its name: then whether it is here, and how it comes here."""
    network = named_network(source)
    if network is None or network.place:
        return
    running = _downloads().get(network.source)
    if running is None:
        _draw_offer(network)
    elif not running.finished.is_set():
        _draw_progress(running)
    elif running.error:
        st.error(escaped(f"It was not downloaded: {running.error}."), icon=":material/error:")
        _draw_offer(network)
    else:
        st.success("Downloaded, and ready for this project.", icon=":material/check:")


def _draw_offer(network: NamedNetwork) -> None:
    """Say what would be downloaded once somebody wants to know, and download it once somebody says yes."""
    kept = f"hub_offer_{network.source}"
    if st.button("Download …", key="hub_ask", icon=":material/cloud_download:"):
        st.session_state[kept] = _looked_up(network)
    offer = st.session_state.get(kept)
    if isinstance(offer, str):
        st.info(escaped(offer), icon=":material/info:")
    elif offer is not None:
        st.info(escaped(f"To be downloaded once: {offer_text(offer)}."), icon=":material/info:")
        st.button(
            f"Yes, download {offer.size / 1e6:,.0f} MB", key="hub_download", type="primary", on_click=_start,
            args=(network,),
        )  # fmt: skip


def _looked_up(network: NamedNetwork) -> Offer | str:
    """What would be downloaded, or why nothing would."""
    with st.spinner("Asking the hub of models …"):
        try:
            return offer_of(network) if here(network) is None else "It is on this machine already."
        except OwnEmbeddingError as error:
            return f"It cannot be downloaded: {error}."


def _start(network: NamedNetwork) -> None:
    running = _downloads().get(network.source)
    if running is None or running.finished.is_set():
        _downloads()[network.source] = started = Download()
        threading.Thread(target=started.run, args=(network,), name="download", daemon=True).start()


@st.fragment(run_every=LOOK_EVERY_S)
def _draw_progress(running: Download) -> None:
    if running.finished.is_set():
        st.rerun()
    text = f"Downloaded {running.done / 1e6:,.0f} of {running.size / 1e6:,.0f} MB"
    st.progress(running.done / running.size if running.size else 0.0, text=text if running.size else "Asking the hub …")
