"""The client's state: pure. Received bytes, the person's actions and the time are its inputs."""
