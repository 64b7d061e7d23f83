"""The DreaMS transformer: its network, and its published weights."""
