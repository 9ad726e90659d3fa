"""`python -m gateway` is `portico`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
