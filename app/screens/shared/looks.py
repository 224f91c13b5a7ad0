"""The few rules of style Streamlit has no option for: constant text, no value ever goes in."""

import streamlit as st

from app.screens.content.sample import CONTENTS

_RULES = """
<style>
[data-testid="stMainBlockContainer"] { padding: 4.5rem 2.5rem 3rem; max-width: 1760px; }
[data-stale="true"] { opacity: 1 !important; }
body:has(.st-key-labeler, .st-key-grid, .st-key-key_figures) [data-testid="stStatusWidget"] { display: none; }
[class*="_gallery"] { display: grid; grid-template-columns: repeat(auto-fill, minmax(100px, 1fr)); }
[class*="_gallery"] > * { width: 100% !important; max-width: none; }
[class*="st-key-pick_"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-pick_"] button { position: relative; }
[class*="st-key-pick_"] button::before { content: ""; position: absolute; inset: auto 0 100% 0; height: 100px;
  cursor: pointer; z-index: 2; }
[class*="st-key-dispute_class_"] button, [class*="st-key-review_class_"] button { min-width: 4.5rem; }
.st-key-project_name { position: absolute; top: 1.2rem; left: 3.75rem; right: 8rem; width: auto; height: 0;
  z-index: 999991; pointer-events: none; }
.project-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .95rem; opacity: .8; }
/* Streamlit writes white on the light buttons of the dark theme; dark letters can be read there. By `light-dark` a page
   that changes its theme while it is open follows at once: the server hears of it with the next thing a person does. */
.stApp [data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#fff, #11181b); }
.stApp [data-testid^="stBaseButton-primary"]:not(:disabled):is(:hover, :focus) {
  background: light-dark(#084f5b, #5cc7d8); }
/* The gray of charts' words has less contrast than WCAG AA asks for on a light page. */
[data-testid="stVegaLiteChart"] :is(.role-axis-label, .role-axis-title, .role-legend-label, .role-legend-title) text {
  fill: currentColor; fill-opacity: .8; }
/* Streamlit's captions have less contrast than WCAG AA asks for. */
[data-testid="stCaptionContainer"] { opacity: .75; }
[data-testid="stCaptionContainer"] code { color: inherit; }
.st-key-start_labeling a { background: var(--st-primary-color, #0b6e7f); border-radius: 8px; padding: .4rem 1rem; }
.st-key-start_labeling a * { color: var(--st-background-color, #fff) !important; font-weight: 600; }
/* The card of the chosen sample stays in view, however far one scrolls its gallery. */
[data-testid="stColumn"]:has([class*="st-key-beside_"]) > [data-testid="stVerticalBlock"] { height: 100%; }
@media (min-width: 641px) {
  [data-testid="stLayoutWrapper"]:has(> [class*="st-key-beside_"]) { position: sticky; top: 4rem;
    max-height: calc(100vh - 5rem); overflow-y: auto; }
}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 4rem 1rem 2rem; }
  .st-key-trainer_line { flex-direction: column; align-items: stretch; }
  [class*="_gallery"] { grid-template-columns: none; grid-auto-flow: column; grid-auto-columns: 100px;
    overflow-x: auto; padding-bottom: .5rem; }
}
</style>
"""

# Dialogs and popovers stand beside the page, where `light-dark` knows of no theme; each opens with the server's word.
_DARK_RULES = """
body > :not(#root) [data-testid^="stBaseButton-primary"]:not(:disabled) { color: #11181b; }
body > :not(#root) [data-testid^="stBaseButton-primary"]:not(:disabled):is(:hover, :focus) { background: #5cc7d8; }
"""

# Streamlit would have the browser fetch an icon of its own from the internet, at each page load.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0b6e7f" stroke-width="3">
<circle cx="7" cy="12" r="5"/><circle cx="17" cy="12" r="5"/></svg>"""


def looks() -> None:
    """Apply the rules to the page."""
    further = "".join(content.RULES for content in CONTENTS.values())
    if st.context.theme.type == "dark":
        further += _DARK_RULES
    st.html(_RULES.replace("</style>", f"{further}</style>"))
