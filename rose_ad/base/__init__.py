"""What everything else stands on: where the user wrote what, errors, structures of arguments, memory."""
