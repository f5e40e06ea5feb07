"""Pure functions of sheet, register and law, and of payments and statement. No database, no settings, no clock."""
