"""The training of the ranking: lists with their truth -> networks, calibration, answer sets."""
