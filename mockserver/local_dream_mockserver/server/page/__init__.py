"""The page at / and what it needs: static files, the contract as JSON, and a way to one other server.

It stands before the API, so that neither faults nor the journal of a mock touch it.
"""
