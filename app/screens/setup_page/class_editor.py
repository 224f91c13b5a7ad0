"""The project's classes with their keys, and everything that can be done to them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.errors import AppError, ProjectError
from app.project.class_changes import Kind, change_class, names_in, what_will_happen
from app.screens.setup_page.class_history import class_history, who_changes
from app.screens.shared.class_colors import CLASS_COLORS
from app.screens.shared.label_keys import keys_by_class
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.class_labels import ClassCount, count_per_class
from storage.classes import by_place
from storage.errors import StorageError
from storage.projects import ClassInfo, list_classes

Counts = Mapping[int, ClassCount]

ACTIONS = ("Add", "Rename", "Merge", "Split", "Retire", "Bring back", "Describe", "Order", "Color")
NEW_KEY, NAME_KEY, PARTS_KEY = "new_classes", "class_new_name", "class_parts"
REFUSED_KEY, DONE_KEY = "class_refused", "class_done"


def class_editor() -> None:
    """Draw the classes, what can be done to them, and what was done."""
    with database().read() as session:
        classes = by_place(list_classes(session, project_id=project_id()))
        counts = count_per_class(session, project_id=project_id())
    _table(classes, counts)
    action = st.segmented_control(
        "What to do", ACTIONS, default="Add", required=True, key="class_action", persist_state="session"
    )
    with st.container(border=True, key="class_change"):
        _DRAW[action or "Add"](classes, counts)
    if done := st.session_state.pop(DONE_KEY, ""):
        st.success(escaped(done), icon=":material/check:")
    class_history()


def _table(classes: Sequence[ClassInfo], counts: Counts) -> None:
    keys = [(key or "search").replace("shift+", "Shift + ") for key in keys_by_class(classes)]
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


def _add(_classes: Sequence[ClassInfo], _counts: Counts) -> None:
    st.text_area("New classes", key=NEW_KEY, persist_state="session", placeholder="one per line", height=100)
    _end("add", "Add classes", ":material/add:", name=NEW_KEY)


def _rename(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    _class_box("Class", classes, key="class_to_rename")
    st.text_input("New name", key=NAME_KEY, persist_state="session")
    _end("rename", "Rename the class", ":material/edit:", name="class_to_rename", value=NAME_KEY)


def _merge(classes: Sequence[ClassInfo], counts: Counts) -> None:
    left, right = st.columns(2)
    with left:  # a retired one may still have labels to be moved
        going = [entry for entry in classes if not entry.retired or entry.index in counts]
        name = _class_box("Class that goes", going, key="class_to_merge")
    with right:
        others = [entry for entry in classes if not entry.retired and entry.name != name]
        _class_box("Class that gets its labels", others, key="class_merged_into")
    _end("merge", "Merge the classes", ":material/merge:", name="class_to_merge", value="class_merged_into")


def _split(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    _class_box("Class", [entry for entry in classes if not entry.retired], key="class_to_split")
    st.text_area(
        "The classes that follow it",
        key=PARTS_KEY,
        persist_state="session",
        placeholder="one per line; its own name too, if it stays",
        height=100,
    )
    _end("split", "Split the class", ":material/call_split:", name="class_to_split", value=PARTS_KEY)


def _retire(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    _class_box("Class", [entry for entry in classes if not entry.retired], key="class_to_retire")
    _end("retire", "Retire the class", ":material/archive:", name="class_to_retire")


def _bring_back(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    retired = [entry for entry in classes if entry.retired]
    if not retired:
        st.caption("No class is retired.")
        return
    _class_box("Class", retired, key="class_to_bring_back")
    _end("add", "Bring the class back", ":material/unarchive:", name="class_to_bring_back")


def _describe(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    name = _class_box("Class", classes, key="class_to_describe")
    known = next(entry for entry in classes if entry.name == name)
    key = f"class_description_{known.index}_{known.description}"
    st.text_area("What belongs to it", known.description, key=key, persist_state="session", height=100)
    _end("describe", "Describe the class", ":material/notes:", name="class_to_describe", value=key)


def _order(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    names = [entry.name for entry in classes if not entry.retired]
    key = f"class_order_{[entry.index for entry in classes]}"
    high = max(100, 25 * len(names))
    st.text_area("The classes from the first to the last", _lines(names), key=key, persist_state="session", height=high)
    _end("order", "Order the classes", ":material/swap_vert:", name=key)


def _color(classes: Sequence[ClassInfo], _counts: Counts) -> None:
    name = _class_box("Class", [entry for entry in classes if not entry.retired], key="class_to_color")
    known = next(entry for entry in classes if entry.name == name)
    key = f"class_color_{known.index}_{known.color}"
    now = known.color or CLASS_COLORS[known.index % len(CLASS_COLORS)]
    st.color_picker("Color on buttons and charts", now, key=key, persist_state="session")
    _end("color", "Color the class", ":material/palette:", name="class_to_color", value=key)


def _lines(names: Sequence[str]) -> str:
    """One name per line, as `names_in` reads it."""
    return "\n".join(f'"{name.replace(chr(34), 2 * chr(34))}"' if set(name) & {",", '"'} else name for name in names)


_DRAW = dict(
    zip(ACTIONS, (_add, _rename, _merge, _split, _retire, _bring_back, _describe, _order, _color), strict=True)
)


def _class_box(label: str, classes: Sequence[ClassInfo], *, key: str) -> str:
    return st.selectbox(label, [entry.name for entry in classes], key=key, persist_state="session") or ""


def _end(kind: Kind, label: str, icon: str, *, name: str, value: str = "") -> None:
    """Draw why the last try was refused, what will happen, and the button; fields are given by their keys."""
    if sentence := st.session_state.pop(REFUSED_KEY, ""):
        st.error(escaped(sentence), icon=":material/error:")
    fields = {"name": _typed(name), "value": _typed(value)}
    with database().read() as session:
        said = what_will_happen(session, project_id=project_id(), kind=kind, **fields)
    if said:
        st.caption(escaped(said))
    st.button(label, key="class_do", icon=icon, type="primary", on_click=_change, args=(kind, name, value))


def _typed(key: str) -> str:
    return (st.session_state.get(key) or "") if key else ""


def _change(kind: Kind, name_key: str, value_key: str) -> None:
    """Do it in one transaction; what is refused changes nothing and stays to be mended.

    The fields are read here: a click may come with what was typed a moment before it.
    """
    name, value = _typed(name_key), _typed(value_key)
    try:
        identity, who = project_id(), who_changes()
        names = names_in(name) if name_key == NEW_KEY else [name]  # of an order, all of them are one value
        if not names:
            raise ProjectError("Type the name of a class first.")
        with database().write() as session:
            said = [
                change_class(session, project_id=identity, kind=kind, name=one, value=value, who=who) for one in names
            ]
    except (AppError, StorageError) as error:
        st.session_state[REFUSED_KEY] = str(error)
        return
    st.session_state[DONE_KEY] = " ".join(said)
    for key in {NEW_KEY, NAME_KEY, PARTS_KEY} & {name_key, value_key}:
        st.session_state[key] = ""
