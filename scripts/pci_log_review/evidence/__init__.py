"""The sealed evidence: where it is stored, how it is chained, verified and signed."""
