"""A package, since a library that the tests use brings a package of that name, too, and the first real one wins."""
