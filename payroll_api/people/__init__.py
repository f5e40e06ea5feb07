"""The register: workers, where each chose to be paid, and whose account it really is."""
