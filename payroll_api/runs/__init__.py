"""A pay run: built from a reviewed file, frozen under a content hash, and approved by somebody else."""
