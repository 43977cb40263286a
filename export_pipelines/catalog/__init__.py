"""The export types on offer, as data: one small file each, and the list of them."""
