"""Files that people bring back to records; the other half of rendering."""
