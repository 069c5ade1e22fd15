"""Feeds: what other systems say, turned into facts. They read files and talk to no store."""
