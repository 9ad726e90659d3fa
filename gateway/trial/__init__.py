"""Applications and shells tried before anybody is served them, by the very code that mounts and composes them."""
