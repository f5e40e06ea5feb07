"""What somebody must look at by a time: sounded once while it lasts, acknowledged by a person, cleared when it is over."""
