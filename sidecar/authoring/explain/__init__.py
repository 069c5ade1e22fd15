"""Why an answer is what it is: `explanation.explain` puts it together (docs/explain.md)."""
