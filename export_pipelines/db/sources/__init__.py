"""The projections that exports read, one file each: the only SQL that looks at evaluation data on their behalf.

Each is a function of a snapshot, a subject's id and the request's options that gives a ``Source``.
"""
