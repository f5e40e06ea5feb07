"""PlasGate, Phnom Penh: SMS to every Cambodian network over HTTPS and JSON."""
