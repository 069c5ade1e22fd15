"""The ledger: every answer and every change in an append-only journal, before it is given (docs/ledger.md)."""
