"""What a change does to the evidence: the project of a commit and this one, over the same logs."""
