"""The edge: HTTP, websocket, command line, and the one composition root (`api.service`)."""
