"""The pages for people: lobby display, kiosk, phone, counter and supervisor. They are clients of the public API and
stream, and can do nothing that an integrator's program cannot."""
