"""Help: all keys, and what happens to a label."""

import streamlit as st

from app.screens.components.label_keys import keys_table

st.title("Help")
st.subheader("Keys on the Label page")
st.markdown(keys_table())
st.caption("One key is one label and moves on. A held key counts once; keys are ignored inside text boxes.")
st.subheader("What happens to a label")
st.markdown(
    """
1. The press is stored at once, as one event that is never changed; undo and corrections are new events.
2. When the round's number of labels is reached, the trainer learns from all of them, in the background. Go on labeling.
3. The new model scores every sample of the pool, and those it would learn most from are asked next.
4. A share of what you see is drawn at random and never trained on: the audit samples. Accuracy is measured on them,
   because the chosen samples are the hard ones and would make the model look worse than it is.
"""
)
st.subheader("What a skip and a flag do")
st.markdown(
    "A **skipped** sample leaves the pool and is not asked again. A **flagged** one stays and is listed on Review "
    "for a second look."
)
