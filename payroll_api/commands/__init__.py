"""What can be asked for on the command line: one file for each command. `__main__` reads the arguments."""
