"""Keeps keys honest in the browser, before Streamlit's shortcuts see them.

A held key would label one sample after another, and a key pressed while the image still loads would label what nobody
has seen: both are dropped. Ctrl/Cmd+Z, `?` and the digits of a number pad are passed on as the keys they stand for.
"""

import streamlit as st

_SCRIPT = """
const LABEL_KEYS = /^([0-9]|f|F| |Enter|Backspace|ArrowLeft|ArrowRight)$/;

const inField = (event) => event.composedPath().some(
  (node) => node.tagName && (/^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) || node.isContentEditable));

const inDialog = () => document.querySelector('[role="dialog"]') !== null;

const loading = () => {
  const image = document.querySelector(".st-key-label_sample img");
  return image !== null && !(image.complete && image.naturalWidth > 0);
};

const standsFor = (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.shiftKey && event.key.toLowerCase() === "z") return ["Backspace", 8];
  if (!command && event.key === "?") return ["h", 72];
  if (!command && event.code.startsWith("Numpad") && /^[0-9]$/.test(event.key)) {
    return [event.key, event.key.charCodeAt(0)];
  }
  return null;
};

const press = ([key, keyCode]) => {
  for (const kind of ["keydown", "keyup"]) {
    document.dispatchEvent(new KeyboardEvent(kind, { key, keyCode, which: keyCode, bubbles: true, cancelable: true }));
  }
};

const listen = (event) => {
  if (!event.isTrusted || inField(event)) return;
  const meant = standsFor(event);
  const labels = LABEL_KEYS.test(event.key) || meant !== null;
  if (!labels || inDialog()) return;
  if (event.repeat || loading()) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else if (meant !== null) {
    event.preventDefault();
    event.stopImmediatePropagation();
    press(meant);
  }
};

// After a click the switch or button keeps the focus: an input swallows every key, a button answers to Space and Enter.
const giveFocusBack = () => setTimeout(() => {
  const active = document.activeElement;
  if (active !== null && active.matches('input[type="checkbox"], button') && !inDialog()) active.blur();
}, 50);

export default function () {
  window.addEventListener("keydown", listen, true);
  window.addEventListener("pointerup", giveFocusBack, true);
  return () => {
    window.removeEventListener("keydown", listen, true);
    window.removeEventListener("pointerup", giveFocusBack, true);
  };
}
"""

_guard = st.components.v2.component("labelloop_key_guard", js=_SCRIPT)


def guard_keys() -> None:
    """Install the guard for as long as the page is shown."""
    _guard(key="key_guard", height="content")
