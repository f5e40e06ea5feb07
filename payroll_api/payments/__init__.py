"""From an approved run to money: intents, dispatches, outcomes, look-ups, provider events, and the invariants."""
