"""The label store: SQLAlchemy models, transactions and migrations; knows nothing of torch or Streamlit."""
