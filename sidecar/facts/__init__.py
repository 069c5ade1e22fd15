"""The facts room: what is known, kept in versions on disk and held in memory for decisions."""
