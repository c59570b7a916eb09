"""The room of risk: one database of what is known of consumers, devices, cards, addresses and merchants."""
