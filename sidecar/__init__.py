"""DPI Sidecar: policy-as-code authorization beside a hospital record system."""

__version__ = "0.1.0"
