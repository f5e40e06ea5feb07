"""Everything with state: it walks the path of a payday once, step by step (see `pipeline.py`)."""
