"""What `dpi-sidecar demo` shows: a fictitious hospital, and questions about it. Names and questions are data."""
