"""The verbs: pure rules of a hall, the engine that runs them, all SQL, the feed."""
