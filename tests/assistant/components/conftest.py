"""An empty home for the pieces that read the workspace; no model is opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: None)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()
