"""Storing, in a process beside the node, batches that its event loop decided ahead of their transaction.

A thread would have to take Python's lock from the event loop again after each statement, and the loop to take it back;
both cost more than a small statement does. A process of its own needs rows, and nothing else of the node's.
"""
