"""The screens of one project: `streamlit run app/screens/main.py`, with the project's folder in LABELLOOP_PROJECT."""

import streamlit as st

from app.screens.shared.failures import as_sentences
from app.screens.shared.gone import is_gone, wait_for_project
from app.screens.shared.help_dialog import help_button
from app.screens.shared.identity import must_sign_in
from app.screens.shared.leaving import wait_for_typed
from app.screens.shared.looks import ICON, looks
from app.screens.shared.project_name import name_of_project
from app.screens.shared.session import is_project, remember_project
from app.screens.shared.who import ask_who

SIDEBAR = 236  # pixels: the longest page name and a first name; the rest is for images and charts

st.set_page_config(page_title="LabelLoop", page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR)
looks()

label = st.Page("label.py", title="Label", icon=":material/label:", default=True, url_path="first")
grid = st.Page("grid.py", title="Grid", icon=":material/grid_view:")
setup = st.Page("setup.py", title="Setup", icon=":material/tune:")
progress = st.Page("progress.py", title="Progress", icon=":material/trending_up:")
uncertainty = st.Page("uncertainty.py", title="Uncertainty", icon=":material/scatter_plot:")
review = st.Page("review.py", title="Review", icon=":material/fact_check:")
keys = st.Page("help.py", title="Help", icon=":material/help:")
projects = st.Page("projects.py", title="Projects", icon=":material/folder_copy:")


def to_label() -> None:
    """The first page is at the address of the project itself, and people type one like those of the others."""
    st.switch_page(label, query_params=st.query_params.to_dict())


typed = st.Page(to_label, title="Label", url_path="label", visibility="hidden")

with as_sentences():
    ready = is_project()
    if ready:
        remember_project()
    elif is_gone():
        wait_for_project()
        st.stop()
    # All pages, always: Streamlit says "Page not found" above whatever is shown at the address of one that is left out.
    pages = [setup, label, grid, progress, uncertainty, review, keys]
    # Whoever signs in does so for one project; the others of this machine are not theirs to see.
    others = [projects] if must_sign_in() is None else []
    page = st.navigation([*pages, *others, typed], position="sidebar" if ready else "hidden")
    if ready:
        name_of_project(page.title)
        ask_who(needed=page not in (setup, keys, projects))
        help_button()
    else:
        if must_sign_in():
            ask_who(needed=False)
        with st.sidebar:
            for one in (setup, keys, *others):
                st.page_link(one)
        if page not in (setup, keys, projects):
            st.switch_page(setup)
    wait_for_typed()
    page.run()
