"""Pool, snooker and carom: balls that slide, roll and spin from one event to the next."""
