"""Errors of the outbound HTTP client. Each message names the host and what to change.

No message holds a path, a query, a header or a body: a webhook's path is often its secret.
"""


class OutboundError(Exception):
    """Base of every error that the outbound client raises."""


class InvalidRequestError(OutboundError):
    """The method, a header or a limit is one that the client does not send."""


class InvalidUrlError(OutboundError):
    """The URL, or the Location of a redirect, is not one plain spelling of an http(s) address."""


class AddressRefusedError(OutboundError):
    """The host has an address or a port that may not be called."""


class ConnectionFailedError(OutboundError):
    """The host cannot be found or reached, or its answer is not valid HTTP."""


class TlsError(OutboundError):
    """TLS failed, the certificate was not accepted, or a redirect leaves TLS."""


class OutboundTimeoutError(OutboundError, TimeoutError):
    """The whole exchange, redirects included, took longer than its time limit."""


class TooLargeError(OutboundError):
    """The answer has more bytes, on the wire or decoded, than its limit."""


class TooManyRedirectsError(OutboundError):
    """The host redirects more often than the client follows."""
