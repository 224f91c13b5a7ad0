"""The screens as they are served: `streamlit run app/screens/served.py`, which is main.py behind guarded answers."""

import streamlit as st
from starlette.middleware import Middleware

from app.running.headers import Guarded

app = st.App("main.py", middleware=[Middleware(Guarded)])
