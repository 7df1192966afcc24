"""Recorded days through the predictors of a running hall: what they would have said, held against what came."""
