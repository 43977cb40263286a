"""Speed and memory, measured outside the test suite."""
