"""The spreadsheet that a bank's portal takes, and the result file that it gives back."""
