"""Results → one HTML file, CSV, a chart, sentences."""
