"""Parts to one file: compression, ZIP segments, manifests, checksums."""
