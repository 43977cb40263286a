"""Where bytes go: the ObjectStore protocol, its stores, signed links."""
