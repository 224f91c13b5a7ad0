"""Active learning on PyTorch Lightning Loops, Flash and BaaL; knows nothing of SQL or Streamlit."""
