"""Records, errors and settings that every layer shares; standard library only."""
