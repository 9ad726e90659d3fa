"""What can go wrong, drawn once.

Every kind knows the status a viewer gets and its word of RFC 9209 section 2.3. A message says what happened, where
(team, mount, upstream), and what to do. Only `proxy.flow` and `registry.api` turn these into answers.

    GatewayError
    ├── ViewerError        the request is at fault
    │   ├── NotFound          404
    │   ├── Misdirected       421
    │   ├── MethodRefused     405
    │   ├── TooLarge          413
    │   └── NotKept           504   only what is kept was wanted
    ├── OriginError        a team's origin is at fault
    │   ├── Unreachable       502   refused, reset, no such name
    │   ├── BadAnswer         502   not HTTP, cut short, undecodable
    │   ├── TimedOut          504
    │   ├── Overloaded        503   our own limit for this upstream is reached
    │   └── Uncomposable      502   a required slot stayed empty
    ├── RegistryError      a registration is at fault
    │   ├── Unknown           404
    │   ├── Forbidden         403
    │   ├── Unauthorized      401
    │   ├── Conflict          409
    │   └── Rejected          422
    └── SettingsError      the operator's settings are at fault
"""


class GatewayError(Exception):
    """Anything the gateway answers for."""

    status = 500
    proxy_error = "proxy_internal_error"

    def __init__(self, message: str, *, proxy_error: str | None = None) -> None:
        super().__init__(message)
        if proxy_error is not None:
            self.proxy_error = proxy_error


class ViewerError(GatewayError):
    """The request cannot be served as it came."""

    status = 400
    proxy_error = "http_request_error"


class NotFound(ViewerError):
    status = 404
    proxy_error = "destination_not_found"


class MethodRefused(ViewerError):
    status = 405
    proxy_error = "http_request_denied"


class TooLarge(ViewerError):
    status = 413


class NotKept(ViewerError):
    """RFC 9111 section 5.2.1.7."""

    status = 504


class Misdirected(ViewerError):
    status = 421


class OriginError(GatewayError):
    """An origin did not do its part."""

    status = 502
    proxy_error = "destination_unavailable"


class Unreachable(OriginError):
    proxy_error = "connection_refused"


class BadAnswer(OriginError):
    proxy_error = "http_response_incomplete"


class TimedOut(OriginError):
    status = 504
    proxy_error = "http_response_timeout"


class Overloaded(OriginError):
    status = 503
    proxy_error = "connection_limit_reached"


class Uncomposable(OriginError):
    """A required slot has neither a piece nor a stale one."""


class RegistryError(GatewayError):
    """A registration cannot be taken as it came."""

    status = 422
    proxy_error = "http_request_error"


class Unauthorized(RegistryError):
    status = 401


class Forbidden(RegistryError):
    status = 403


class Unknown(RegistryError):
    status = 404


class Conflict(RegistryError):
    status = 409


class Rejected(RegistryError):
    status = 422


class SettingsError(GatewayError):
    """A setting the gateway cannot start with."""
