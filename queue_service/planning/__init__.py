"""Looking ahead: estimates, staffing, what-if. Nothing here runs on the event loop or the writer thread."""
