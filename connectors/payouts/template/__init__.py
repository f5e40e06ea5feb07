"""A connector to start from: it works, against a simulated provider of its own. `payroll connectors new NAME` copies it."""
