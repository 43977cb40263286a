"""Speed and memory of whole exports, measured outside the test suite and set against what else could be done."""
