"""Help: all keys, how fast they are answered here, and what happens to a label."""

import streamlit as st

from app.screens.help_page.latency import latency_sentence
from app.screens.label_page.feed import LATENCY_KEY
from app.screens.shared.label_keys import GRID_ROWS, GROUP_ROWS, SEVERAL_ROWS, keys_table

st.title("Help")
st.header("Keys on the Label page")
st.markdown(keys_table())
st.caption(
    "One key is one label and moves on. A held key counts once; keys are ignored inside text boxes and while a sample "
    "is still loading. On a touch screen: tap a class; swipe the sample to the left to skip, to the right to undo."
)
st.header("Keys on the Grid page")
st.markdown(keys_table(GRID_ROWS))
st.caption(
    "The Grid page shows up to 60 samples that the newest model is surest of being one class, none below 60 %, the "
    "least sure of them first: the wrong ones stand together at the top. Samples taken out go back to the queue and "
    "are not shown in a grid again until there is a new model. Before the first model it shows samples that lie close "
    "together on the map, and you say what they are. Every sample is stored as a label of its own, with an equal share "
    "of the time. The model chose these samples, so their labels train it and never measure its accuracy: audit "
    "samples and second looks are only asked one by one, on the Label page."
)
st.header("Keys in the groups of the Grid page")
st.markdown(keys_table(GROUP_ROWS))
st.caption(
    "Members are drawn at random and shown one by one, without the model's answer: say what each is. When what you "
    "judged proves at 95 % that at most 5 % of the rest are of another class, Enter labels the rest, which nobody has "
    "looked at. A wrong member sends those most like it back to the pool, and the test goes on with the others. "
    "Samples of the audit are never members, and labels of a rest measure nothing."
)
st.header('Keys in "Several at once" of the Review page')
st.markdown(keys_table(SEVERAL_ROWS))
st.header("How fast a key is answered")
st.markdown(latency_sentence(st.session_state.get(LATENCY_KEY)))
st.header("What happens to a label")
st.markdown(
    """
1. The press is answered by your browser at once and kept there until the server has stored it, as one event that is
   never changed; undo and corrections are new events. "All saved" on the Label page says that nothing is waiting.
   A lost connection, a reload or a killed server loses nothing.
2. When the round's number of labels is reached, the trainer learns from all of them, in the background. Go on labeling.
3. The new model scores every sample of the pool, and those it would learn most from are asked next.
4. A share of what you see is drawn at random and never trained on: the audit samples. Accuracy is measured on them,
   because the chosen samples are the hard ones and would make the model look worse than it is.
"""
)
st.header("What a skip and a flag do")
st.markdown(
    "A **skipped** sample leaves the pool and is not asked again. A **flagged** one stays and is listed on Review "
    "for a second look."
)
