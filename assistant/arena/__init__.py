"""Blind pairwise trials: pairing, ballots, answers written ahead."""
