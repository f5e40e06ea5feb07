"""What banks send at day's end, read into statement lines."""
