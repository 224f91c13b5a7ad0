"""The project's classes with their keys, and everything that can be done to them."""

import csv
from collections.abc import Sequence

import streamlit as st

from app.errors import AppError, ProjectError
from app.project.class_changes import Kind, change_class, what_will_happen
from app.screens.setup_page.class_history import class_history, who_changes
from app.screens.shared.label_keys import class_keys
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.classes import ClassCount, count_per_class
from storage.errors import StorageError
from storage.projects import ClassInfo, list_classes

ACTIONS = ("Add", "Rename", "Merge", "Retire", "Bring back", "Describe")
NEW_KEY, NAME_KEY = "new_classes", "class_new_name"
REFUSED_KEY, DONE_KEY = "class_refused", "class_done"


def class_editor() -> None:
    """Draw the classes, what can be done to them, and what was done."""
    with database().read() as session:
        classes = list_classes(session, project_id=project_id())
        counts = count_per_class(session, project_id=project_id())
    _table(classes, counts)
    action = st.segmented_control("What to do", ACTIONS, default="Add", required=True, key="class_action")
    with st.container(border=True, key="class_change"):
        _DRAW[action or "Add"](classes)
    if done := st.session_state.pop(DONE_KEY, ""):
        st.success(escaped(done), icon=":material/check:")
    class_history()


def _table(classes: Sequence[ClassInfo], counts: dict[int, ClassCount]) -> None:
    keys = [(key or "search").replace("shift+", "Shift + ") for key in class_keys([entry.name for entry in classes])]
    st.dataframe(
        {
            "Class": [f"{entry.name} (retired)" if entry.retired else entry.name for entry in classes],
            "Key": ["" if entry.retired else key for entry, key in zip(classes, keys, strict=True)],
            "Labels": [counts.get(entry.index, ClassCount()).labels for entry in classes],
            "What belongs to it": [entry.description for entry in classes],
        },
        hide_index=True,
        width="stretch",
        alt="The classes with their keys, labels and descriptions",
    )


def _add(_classes: Sequence[ClassInfo]) -> None:
    text = st.text_area("New classes", key=NEW_KEY, placeholder="one per line", height=100)
    _refused()
    _what_will_happen("add", text)
    _button("Add classes", ":material/add:", [("add", "", "")], clears=NEW_KEY)


def _rename(classes: Sequence[ClassInfo]) -> None:
    name = _class_box("Class", classes, key="class_to_rename")
    new = st.text_input("New name", key=NAME_KEY)
    _refused()
    _what_will_happen("rename", name, new)
    _button("Rename the class", ":material/edit:", [("rename", name, new)], clears=NAME_KEY)


def _merge(classes: Sequence[ClassInfo]) -> None:
    left, right = st.columns(2)
    with left:
        name = _class_box("Class that goes", classes, key="class_to_merge")
    with right:
        others = [entry for entry in classes if not entry.retired and entry.name != name]
        into = _class_box("Class that gets its labels", others, key="class_merged_into")
    _refused()
    _what_will_happen("merge", name, into)
    _button("Merge the classes", ":material/merge:", [("merge", name, into)])


def _retire(classes: Sequence[ClassInfo]) -> None:
    name = _class_box("Class", [entry for entry in classes if not entry.retired], key="class_to_retire")
    _refused()
    _what_will_happen("retire", name)
    _button("Retire the class", ":material/archive:", [("retire", name, "")])


def _bring_back(classes: Sequence[ClassInfo]) -> None:
    retired = [entry for entry in classes if entry.retired]
    if not retired:
        st.caption("No class is retired.")
        return
    name = _class_box("Class", retired, key="class_to_bring_back")
    _refused()
    _what_will_happen("add", name)
    _button("Bring the class back", ":material/unarchive:", [("add", name, "")])


def _describe(classes: Sequence[ClassInfo]) -> None:
    name = _class_box("Class", classes, key="class_to_describe")
    known = next(entry for entry in classes if entry.name == name)
    text = st.text_area(
        "What belongs to it", known.description, key=f"class_description_{known.index}_{known.description}", height=100
    )
    _refused()
    _what_will_happen("describe", name, text)
    _button("Describe the class", ":material/notes:", [("describe", name, text)])


_DRAW = dict(zip(ACTIONS, (_add, _rename, _merge, _retire, _bring_back, _describe), strict=True))


def _class_box(label: str, classes: Sequence[ClassInfo], *, key: str) -> str:
    return st.selectbox(label, [entry.name for entry in classes], key=key) or ""


def _refused() -> None:
    """Why the last try was refused, under the field; what was typed is still there."""
    if sentence := st.session_state.pop(REFUSED_KEY, ""):
        st.error(escaped(sentence), icon=":material/error:")


def _what_will_happen(kind: Kind, name: str, value: str = "") -> None:
    with database().read() as session:
        said = what_will_happen(session, project_id=project_id(), kind=kind, name=name, value=value)
    st.caption(escaped(said) if said else "Say what is wanted, and what will happen is said here before it does.")


def _button(label: str, icon: str, changes: list[tuple[Kind, str, str]], *, clears: str = "") -> None:
    st.button(label, key="class_do", icon=icon, type="primary", on_click=_change, args=(changes, clears))


def _change(changes: list[tuple[Kind, str, str]], clears: str) -> None:
    """Do it in one transaction; what is refused changes nothing and stays to be mended."""
    try:
        if clears == NEW_KEY:
            changes = [("add", name, "") for name in names_in(st.session_state[NEW_KEY])]
            if not changes:
                raise ProjectError("Type the name of a class first.")
        with database().write() as session:
            said = [
                change_class(session, project_id=project_id(), kind=kind, name=name, value=value, who=who_changes())
                for kind, name, value in changes
            ]
    except (AppError, StorageError) as error:
        st.session_state[REFUSED_KEY] = str(error)
        return
    st.session_state[DONE_KEY] = " ".join(said)
    if clears:
        st.session_state[clears] = ""


def names_in(text: str) -> list[str]:
    """Class names in a text: one per line, or with commas between; a name with a comma stands in quotes.

    Raises:
        ProjectError: a quote is not closed.
    """
    try:
        lines = list(csv.reader(text.splitlines(), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ProjectError(f"The classes cannot be read, {error}: is a quote missing?") from error
    return [name.strip() for line in lines for name in line if name.strip()]
