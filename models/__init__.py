"""The nouns: closed vocabularies, tables with their constraints, wire shapes, migrations. No behaviour."""
