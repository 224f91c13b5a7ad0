"""The project's name in the browser's tab and on every page: with two projects open, one must see which is which."""

from __future__ import annotations

from html import escape

import streamlit as st

from app.screens.shared.session import current_project


def name_of_project(page: str) -> None:
    """Put the name beside the page's in the tab, and above the page.

    Args:
        page: title of the page.
    """
    name = current_project().settings().name
    st.set_page_config(page_title=f"{page}, {name}")
    with st.container(key="project_name"):
        # As text: neither Markdown nor a translating browser may read it.
        st.html(f'<div class="project-name" translate="no" dir="auto">{escape(name)}</div>')
