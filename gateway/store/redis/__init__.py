"""Answers and registrations shared by gateways through Redis: the only room that knows its clients, commands and keys.

`address` reads the URL, `pipe` is one connection that many share, `node` a server that may be away, `topology` which
server has a key, `entries` are answers, `ledger` registrations.
"""
