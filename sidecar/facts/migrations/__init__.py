"""Every shape the facts store has had, from the first."""
