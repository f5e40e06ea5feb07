"""HR's pages, rendered on the server, in Khmer and English. No rule inside: every decision is a step's."""
