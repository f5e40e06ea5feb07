"""The pay slip by SMS: composed when the money is confirmed, sent once, followed until the phone has it."""
