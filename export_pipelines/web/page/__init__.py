"""The page for people: server-rendered HTML in front of the same functions that the API calls."""
