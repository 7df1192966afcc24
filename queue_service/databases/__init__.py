"""What differs between databases, and nothing else: connections and their faults, and the few statements that each
must be asked in its own words. What is asked, and when, stands in `queue_service.journal`."""
