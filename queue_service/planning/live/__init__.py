"""Estimates of a running hall: what the predictors learn from its events, and what may be said of a wait now."""
