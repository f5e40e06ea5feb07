"""The JSON API under /api/v1, webhooks, and health. No rule inside: every decision is a step's."""
