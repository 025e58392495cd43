"""Drawing pieces that several pages share; HTML, theme, charts."""
