"""The sheet against the law and the register: what each worker is owed, every difference, and what people decide about it."""
