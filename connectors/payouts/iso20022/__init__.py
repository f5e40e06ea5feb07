"""A bank that is paid host to host by ISO 20022 messages: pain.001 out, pain.002 and camt.053 back."""
