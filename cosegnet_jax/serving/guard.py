"""What stands between the network and the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Scripts, styles and pictures are in the page or come from this server; browsers are to ask no other one.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
_WITHOUT_BODY = ('GET', 'HEAD', 'OPTIONS')


class Guard:
    """An ASGI application around another.

    Requests of more than `max_bytes`, or of a length that is not told beforehand, are refused unread; and
    browsers are told to ask no other server.
    """

    def __init__(self, app: App, max_bytes: int):
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request."""

        async def send_with_policy(message: Message) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message['headers'], (b'content-security-policy', _POLICY)]
            await send(message)

        if scope['type'] == 'http' and scope['method'] not in _WITHOUT_BODY:
            length = dict(scope['headers']).get(b'content-length', b'')
            if not length.isdigit() or int(length) > self._max_bytes:
                await self._refuse(send_with_policy)
                return
        await self._app(scope, receive, send_with_policy)

    async def _refuse(self, send: Send) -> None:
        text = b'too many megabytes at once; drop fewer photos'
        headers = [(b'content-type', b'text/plain'), (b'content-length', str(len(text)).encode())]
        await send({'type': 'http.response.start', 'status': 413, 'headers': headers})
        await send({'type': 'http.response.body', 'body': text})
