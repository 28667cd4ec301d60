"""What users call that joins the siblings: functions that are traced, derived, rewritten, lowered and
run."""
