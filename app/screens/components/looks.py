"""The few rules of style Streamlit has no option for: constant text, no value ever goes in."""

import streamlit as st

_RULES = """
<style>
.st-key-label_sample { height: 54vh; overflow: hidden; border-radius: 8px; justify-content: center; align-items: center;
  background: color-mix(in srgb, currentColor 5%, transparent); }
.st-key-label_sample img { max-height: 54vh; max-width: 100%; width: auto; object-fit: contain; }
.st-key-label_sample [data-testid="stImage"], .st-key-label_sample [data-testid="stImageContainer"] {
  display: flex; justify-content: center; align-items: center; width: auto; max-width: 100%; }
[data-testid="stMainBlockContainer"] { padding-left: 2.5rem; padding-right: 2.5rem; }
.st-key-label_line { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding-top: .4rem; }
[class*="st-key-past_"] { width: 78px; }
[class*="st-key-past_"] img { width: 78px; height: 60px; object-fit: contain; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
[class*="st-key-past_"] button { position: relative; min-height: 1.6rem; padding: 0 .25rem; font-size: .8rem; }
[class*="st-key-past_"] button::before { content: ""; position: absolute; left: 0; right: 0; bottom: 100%; height: 66px;
  cursor: pointer; z-index: 2; }
[class*="st-key-past_"] [data-testid="stElementToolbar"], .st-key-label_sample [data-testid="stElementToolbar"],
[class*="st-key-pick_"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-pick_"] img { width: 100px; height: 100px; object-fit: contain; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
[class*="st-key-pick_"] button { position: relative; }
[class*="st-key-pick_"] button::before { content: ""; position: absolute; inset: auto 0 100% 0; height: 100px;
  cursor: pointer; z-index: 2; }
@media (max-width: 640px) {
  .st-key-label_sample, .st-key-label_sample img { height: 38vh; max-height: 38vh; }
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  .st-key-label_classes > * { flex: 1 1 30%; min-width: 100px; }
  .st-key-label_classes:has(> :nth-child(11)) > * { flex-basis: 45%; }
  .st-key-label_classes button { width: 100%; }
  .st-key-label_history { flex-wrap: nowrap; overflow-x: auto; }
  .st-key-label_history > * { flex: 0 0 78px; }
  [class*="_gallery"] { flex-wrap: nowrap; overflow-x: auto; padding-bottom: .5rem; }
  [class*="_gallery"] > * { flex: 0 0 100px; }
}
</style>
"""


def looks() -> None:
    """Apply the rules to the page."""
    st.html(_RULES)
