"""What a run found out, and what is waived of it."""
