"""Cheap wait estimates from what is known when a ticket is issued: pure Python, no clock, no I/O, no scikit-learn.

`tracker.Tracker` and `estimator.Estimator` are the one code path of the running service and of the backtest. They
are told, in order of time, that a day opens, that a ticket joins, is called or leaves; at each issue the tracker
says what is known, and the estimator makes of it an estimate, or gives the reason why there is none.
"""
