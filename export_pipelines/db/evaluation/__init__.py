"""Queries on evaluation data, one file an entity.

One habit throughout: a function takes the ``Database`` first and is one transaction from beginning to end, so that a
call either happened or did not. Data comes by keyword, the present moment as ``now``; what goes out is a frozen record
of ``core.evaluation``. The few building blocks that others need inside their own transaction take a ``Session``
instead, and their docstrings say so; most of them are in ``rows.py``.
"""
