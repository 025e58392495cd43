"""One Streamlit page or view a file: layout only."""
