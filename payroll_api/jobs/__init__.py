"""Work that is done after the answer: named jobs, enqueued in the caller's transaction, run by any number of workers."""
