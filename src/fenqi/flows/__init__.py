"""Flows: one file a process that crosses rooms. A flow opens the transaction; the rooms it joins never meet."""
