"""CloudTrail's log files and digests: where they are stored, how they are read and verified."""
