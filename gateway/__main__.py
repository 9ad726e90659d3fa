"""`python -m gateway` is `portico`. Workers import this file too: what only the command needs is not theirs to hold."""


def main() -> None:
    import gateway.cli

    gateway.cli.main()


if __name__ == "__main__":
    main()
