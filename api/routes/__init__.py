"""The REST contract, a module a noun."""
