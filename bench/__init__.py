"""How fast it is: `python -m bench`. Ratios from one run, measured side by side; never asserted in a test."""
