"""What tests stand on: real origins, a real Redis, a real browser, child processes that surely end. No mocks."""
