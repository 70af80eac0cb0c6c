"""ASGI application of the edge: answer the public paths, pass every other request to Django.

No ORM, no session, no thread: parse, validate, screen, write one row, answer.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from django.conf import settings

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.capture.ledger.batch_writer import BatchWriter
from leadgen.capture.ledger.connection import LedgerConnection
from leadgen.capture.ledger.spool_fallback import LedgerWithSpool
from leadgen.capture.metrics import SUBMISSIONS
from leadgen.capture.nudge import nudge_replay
from leadgen.edge.forms import hosted_form, public_api
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.forms.form_preloader import FormPreloader
from leadgen.edge.http.access_log import AccessLog
from leadgen.edge.http.large_bodies import LargeBodies
from leadgen.edge.http.messages import (
    AWAY,
    ClientGoneError,
    Receive,
    Refusal,
    Request,
    Response,
    Scope,
    Send,
)
from leadgen.edge.read_pool import ReadPool
from leadgen.edge.services import EdgeServices
from leadgen.edge.submission_lookup import KnownSubmissions
from leadgen.lib.telemetry import request_context
from leadgen.lib.telemetry.metrics import count_request, method_label

logger = logging.getLogger("leadgen.capture")

Handler = Callable[[Request, str], Awaitable[Response]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_INTERNAL_ERROR = Refusal(500, "Something went wrong here. Try again in a moment.", retry_after="5")


@dataclass(frozen=True, slots=True)
class Route:
    """A public path, its handler by method, and its refusals (HTML or JSON) by the path's key."""

    name: str
    path: re.Pattern[str]
    handlers: Mapping[str, Handler]
    refuse: Callable[[Refusal, str], Response]


class Edge:
    """ASGI middleware in front of Django's handler; owns pools, caches and the ledger."""

    def __init__(
        self,
        django: App,
        database: ReadPool | None = None,
        connection: LedgerConnection | None = None,
        *,
        max_age: float = 2.0,
    ) -> None:
        self._django = django
        self._database = database or ReadPool()
        self._access = AccessLog()
        self._large = LargeBodies()
        self._ledger = LedgerWithSpool(BatchWriter(connection or LedgerConnection(), nudge_replay))
        forms = FormCache(self._database, max_age=max_age)
        self._preloader = FormPreloader(self._database, forms)
        known = KnownSubmissions(self._database)
        self._routes = _routes(EdgeServices(forms, self._ledger, known))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close"})
        elif match := self._find(scope["path"]):
            await self._serve(*match, scope, receive, send)
        else:
            await self._django(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._database.open()
                await self._ledger.open()
                self._preloader.open()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def close(self) -> None:
        """Write the queued rows and log lines; close every connection."""
        self._preloader.close()
        await self._ledger.close()
        await self._database.close()
        self._access.write()

    def _find(self, path: str) -> tuple[Route, str] | None:
        for route in self._routes:
            if match := route.path.fullmatch(path):
                return route, match[1]
        return None

    async def _serve(
        self, route: Route, key: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        started = perf_counter()
        request = Request.of(scope, receive, settings.TRUSTED_PROXIES)
        token = request_context.request_id.set(
            request_context.adopt(request.headers.get("x-request-id"))
        )
        try:
            response = await _answer(route, key, request, self._large)
            traced = response.having({"x-request-id": request_context.request_id.get()})
            await traced.send(send, head=request.method == "HEAD")
            self._record(route, request, response, perf_counter() - started)
        except ClientGoneError:
            logger.info("client disconnected before the request body was complete")
        finally:
            request_context.request_id.reset(token)

    def _record(self, route: Route, request: Request, response: Response, seconds: float) -> None:
        name, status = f"capture:{route.name}", response.status
        method = method_label(request.method)
        count_request(name, method, status, seconds)
        request_id = request_context.request_id.get()
        self._access.record(
            method, name, status, round(seconds * 1000), request_id, response.receipt
        )


def _routes(services: EdgeServices) -> tuple[Route, ...]:
    pages, programs = hosted_form.HostedFormPages(services), public_api.PublicApi(services)
    # Mail programs and CMSs add a trailing slash, phones write the F of a typed address large.
    form, forms = r"/+(?i:f)/+([^/]+)", r"/api/v1/public/forms/([^/]+)"
    return (
        Route(
            "form",
            re.compile(f"{form}/*"),
            {"GET": pages.page, "POST": pages.post},
            pages.refuse,
        ),
        Route("thanks", re.compile(f"{form}/+thanks/*"), {"GET": pages.thanks}, pages.refuse),
        Route(
            "definition",
            re.compile(f"{forms}/?"),
            {"GET": programs.definition, "OPTIONS": programs.preflight},
            public_api.refuse_to_all,
        ),
        Route(
            "submissions",
            re.compile(f"{forms}/submissions/?"),
            {"POST": programs.submit, "OPTIONS": programs.preflight},
            public_api.refuse_to_all,
        ),
    )


async def _answer(route: Route, key: str, request: Request, large: LargeBodies) -> Response:
    """Return the handler's response, or the refusal in the shape of the route."""
    try:
        handler = _handler(route, request.method)
        if request.method == "POST":
            await request.read(settings.CAPTURE_MAX_BODY_BYTES, large.admit)
        return await handler(request, key)
    except Refusal as refusal:
        return _refusal_response(route, key, request, refusal)
    except DatabaseUnavailableError:
        return _refusal_response(route, key, request, AWAY)
    except ClientGoneError:
        raise
    except Exception:
        logger.exception("the edge failed")
        return _refusal_response(route, key, request, _INTERNAL_ERROR)
    finally:
        large.release(request)


def _handler(route: Route, method: str) -> Handler:
    handler = route.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        methods = [*route.handlers, "HEAD"] if "GET" in route.handlers else route.handlers
        raise Refusal(405, f"Use {' or '.join(route.handlers)}.", allow=", ".join(methods))
    return handler


def _refusal_response(route: Route, key: str, request: Request, refusal: Refusal) -> Response:
    if request.method == "POST":
        is_fault = refusal is AWAY or refusal is _INTERNAL_ERROR
        SUBMISSIONS.labels("failed" if is_fault else "refused").inc()
    return route.refuse(refusal, key)
