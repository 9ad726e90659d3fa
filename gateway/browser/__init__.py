"""What Portico sends to browsers: scripts of its own, small, without a framework."""
