"""Tells other systems what came of an emergency: signed, at least once, in order (docs/notices.md)."""
