"""One project of the list, with what can be done to it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from app.project.library import archive_project, bring_back, copy_project, delete_project
from app.project.overview import Overview
from app.screens.projects_page.open_button import open_button
from app.screens.projects_page.outcome import do, show_refusal
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import project_folder


def project_entry(one: Overview) -> None:
    """Draw a project that is in use."""
    folder = one.entry.folder
    with st.container(border=True, key=f"project_{folder}"):
        _about(one)
        with st.container(horizontal=True, vertical_alignment="center"):
            open_button(folder)
            if folder != project_folder():  # this one runs
                _copy(folder)
                _button("Archive", ":material/archive:", folder, partial(_archived, folder))
                _button("Delete", ":material/delete:", folder, partial(_deleted, folder))
        show_refusal(str(folder))


def put_aside(title: str, found: Sequence[Overview]) -> None:
    """Draw those that were archived or deleted; nothing where there are none."""
    if not found:
        return
    with st.expander(f"{title} ({len(found):,})"):
        for one in found:
            with st.container(border=True, key=f"aside_{one.entry.folder}"):
                _about(one)
                place = one.entry.folder
                _button("Bring back", ":material/undo:", place, partial(bring_back, place))
                show_refusal(str(one.entry.folder))


def _about(one: Overview) -> None:
    st.markdown(f"**{escaped(one.name)}**")
    zone = ZoneInfo(st.context.timezone or "UTC")
    facts = [
        f"{one.samples:,} samples ({one.kind})",
        f"{one.labels:,} labels",
        f"accuracy {one.accuracy}" if one.accuracy else "no accuracy yet",
        f"last used {one.last_used.astimezone(zone):%Y-%m-%d %H:%M}",
    ]
    st.markdown(escaped(one.trouble or " · ".join(facts)))
    st.caption(escaped(str(one.entry.called)))


def _button(label: str, icon: str, folder: Path, work: Callable[[], str]) -> None:
    st.button(label, key=f"{label}_{folder}", icon=icon, on_click=do, args=(str(folder), work))


def _copy(folder: Path) -> None:
    key = f"copy_to_{folder}"
    with st.popover("Copy", icon=":material/content_copy:"):
        st.text_input("Folder of the copy", f"{folder}-copy", key=key, persist_state="session")
        st.caption("Labels, rounds and uploads are copied; files that are only referred to stay where they are.")
        work = partial(_copied, folder, key)
        st.button("Copy the project", key=f"copy_{folder}", on_click=do, args=(str(folder), work))


def _copied(folder: Path, key: str) -> str:
    return f"{copy_project(folder, Path(st.session_state[key].strip())).folder} is a copy."


def _archived(folder: Path) -> str:
    return f"{archive_project(folder).folder} is archived; it is listed below."


def _deleted(folder: Path) -> str:
    return f"{delete_project(folder).called} was moved to the trash; it is listed below and can be brought back."
