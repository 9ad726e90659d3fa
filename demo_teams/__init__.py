"""Four tiny strangers and a fifth that comes later. They know neither the gateway nor each other."""
