"""fenqi (分期): an instalment mall, a credit line and a cashier that can always say why."""
