"""When a person is told of messages: rules without a window, a thread or a bus."""
