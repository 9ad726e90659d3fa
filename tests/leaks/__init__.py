"""What leads out of a mount: an origin that leaks on every channel, and a judge of what came through a proxy."""
