"""Exports killed at moments that a seed chooses: the crash suite's proofs, and ``make chaos`` for many more seeds."""
