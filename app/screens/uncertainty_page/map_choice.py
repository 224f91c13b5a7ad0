"""The map of the pool: a click chooses one sample, a lasso chooses many, which are offered as a group."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import streamlit as st

from app.browser.pool_map import pool_map, sent_message
from app.project.pool_map import PoolMap
from app.screens.content.sample import to_send
from app.screens.group_page.choice import open_groups
from app.screens.group_page.offers import CHOSEN, CHOSEN_WORDS, Offer, left_out
from app.screens.shared.charts import LOW_TO_HIGH, UNKNOWN_COLOR
from app.screens.shared.class_colors import CLASS_COLORS, NO_COLORS
from app.screens.shared.pool_view import PoolView
from app.screens.shared.session import current_project, database, project_id
from app.screens.uncertainty_page.map_points import (
    MapPoints,
    chosen_ids,
    in_order,
    label_codes,
    map_points,
    told_measures,
)
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from loops.acquisition.catalog import MEASURES, UNITS
from storage.finding import sample_names
from storage.samples import get_samples

SHOWN = 12  # chosen samples that are looked at under the map
SENT_KEY = "map_sent"  # in the session: what its browser holds
GROUP_KEY = "map_group"  # the answer to the last lasso
TURN_KEY = "map_turn"  # the last message that was answered


@st.fragment
def choose_on_map(view: PoolView, placed: PoolMap, *, version: str, colors: Mapping[str, str]) -> None:
    """Draw the map; a lasso reruns this part alone.

    Args:
        view: The round's pool.
        placed: Where its samples lie.
        version: Of both, as the browser's copy is known by it.
        colors: By class; only those that somebody has given.
    """
    points = map_points(version, view.scores, placed)
    sent = sent_message()
    if isinstance(sent, Mapping) and sent.get("turn") != st.session_state.get(TURN_KEY):
        st.session_state[TURN_KEY] = sent.get("turn")
        _act(sent, points)
    pool_map(_told(view, points, version, colors))
    st.caption(drawn_words(points.scored, len(points.sample_ids)))


def drawn_words(scored: int, placed: int) -> str:
    """What the map draws, in a sentence."""
    more = (
        "" if placed == scored else f" By label, the {placed - scored:,} that this round did not score are drawn too."
    )
    return f"All {scored:,} samples of the pool.{more} Samples near each other look alike to the embedding."


def _act(sent: Mapping[str, Any], points: MapPoints) -> None:
    ask, ids = sent.get("ask"), points.sample_ids
    if ask == "points":
        st.session_state.pop(SENT_KEY, None)
    elif ask == "pick" and sent.get("sample") in ids:
        st.session_state[CHOSEN_KEY] = int(sent["sample"])
        st.rerun()
    elif ask == "lasso":
        st.session_state[GROUP_KEY] = _group(str(sent.get("turn")), chosen_ids(str(sent.get("rows")), ids).tolist())
    elif ask == "offer" and GROUP_KEY in st.session_state:
        open_groups(chosen=st.session_state[GROUP_KEY]["sample_ids"])


def _group(turn: str, chosen: Sequence[int]) -> dict[str, Any]:
    """What may become a group of the chosen samples, and what some of them look like."""
    with database().read() as session:
        share = current_project().settings().audit_share
        free = sorted(set(chosen) - left_out(session, project_id=project_id(), audit_share=share))
        some = [free[place] for place in np.unique(np.linspace(0, len(free) - 1, SHOWN).astype(int))] if free else []
        samples = get_samples(session, sample_ids=some)
    offer = Offer(CHOSEN, None, CHOSEN_WORDS, tuple(free))
    return {
        "turn": turn,
        "sample_ids": tuple(free),
        "is_worth": offer.needed is not None,
        "sentence": group_words(len(chosen), offer),
        "shown": [to_send(samples[sample_id], large=False) for sample_id in some],
    }


def group_words(chosen: int, offer: Offer) -> str:
    """What was chosen and what a group of it would cost, in a sentence."""
    free = len(offer.sample_ids)
    if not free:
        return f"{chosen:,} chosen; all are decided already or kept for the audit."
    of_them = f"{chosen:,} chosen" if free == chosen else f"{chosen:,} chosen, {free:,} of them open"
    if offer.needed is None:
        return f"{of_them}: too few for a group; nearly all of them would have to be judged."
    return f"{of_them}: judge {offer.needed:,} of them, and take the other {free - offer.needed:,}."


def _told(view: PoolView, points: MapPoints, version: str, colors: Mapping[str, str] = NO_COLORS) -> dict[str, Any]:
    """All that the browser is told; the points, the names and the labels only where this session has not sent them."""
    codes = label_codes(view, points.sample_ids).tobytes()
    labels_version = hashlib.blake2b(codes, digest_size=8).hexdigest()
    has_points, has_labels = st.session_state.get(SENT_KEY, ("", ""))
    is_new = has_points != version
    st.session_state[SENT_KEY] = (version, labels_version)
    group = st.session_state.get(GROUP_KEY)
    return {
        "name": "map",
        "token": version,
        "total": len(points.sample_ids),
        "scored": points.scored,
        "points": points.packed if is_new else None,
        "names": in_order(_names(), points.sample_ids) if is_new else None,
        "labels_token": labels_version,
        "labels": base64.b64encode(codes).decode() if is_new or has_labels != labels_version else None,
        "classes": list(view.classes),
        "measures": told_measures(MEASURES, UNITS),
        "colors": [colors.get(name, usual) for name, usual in zip(view.classes, cycle(CLASS_COLORS), strict=False)],
        "low_to_high": LOW_TO_HIGH,
        "unknown": UNKNOWN_COLOR,
        "picked": st.session_state.get(CHOSEN_KEY),
        "group": None if group is None else {name: group[name] for name in group if name != "sample_ids"},
    }


def _names() -> dict[int, str]:
    with database().read() as session:
        return sample_names(session, project_id=project_id())
