"""The Streamlit screens; they read and write the database and never load torch."""
