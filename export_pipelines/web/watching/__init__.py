"""Watching jobs over HTTP: quick answers for pollers, streams of events; both look through one pair of eyes."""
