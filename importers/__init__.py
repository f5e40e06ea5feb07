"""Everything that comes in as a file becomes typed rows here. Pure: no database, no settings, no clock."""
