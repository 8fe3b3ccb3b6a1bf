"""The client's state: pure. What arrived, what the person does and the time come in."""
