"""Cambodia's garment sector: one file per family of rules, and their dated values under `parameters/`."""
