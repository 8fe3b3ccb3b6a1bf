"""Which messages the person is notified of, and when: rules without a window, thread or bus."""
