"""An application tried: read, shown below two prefixes by the very code that mounts it, and whatever leaks is told."""
