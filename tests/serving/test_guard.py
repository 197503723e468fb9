import asyncio

import pytest

from cosegnet_jax.serving.guard import Guard


async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x-answered', b'yes')]})
    await send({'type': 'http.response.body', 'body': b'answer'})


def answer(method, *headers):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        raise AssertionError('the body must not be read')

    scope = {'type': 'http', 'method': method, 'headers': list(headers)}
    asyncio.run(Guard(application, max_bytes=100)(scope, receive, send))
    return sent


def length(value):
    return (b'content-length', value)


@pytest.mark.parametrize(
    ('method', 'headers'),
    [('GET', ()), ('POST', [length(b'0')]), ('POST', [length(b'100')]), ('PUT', [length(b'7')])],
)
def test_small_requests_pass(method, headers):
    start, body = answer(method, *headers)
    assert (start['status'], body['body']) == (200, b'answer')
    assert (b'x-answered', b'yes') in start['headers']


@pytest.mark.parametrize(
    'headers',
    [[length(b'101')], [length(b'-1')], [length(b'many')], [(b'transfer-encoding', b'chunked')], []],
    ids=['large', 'negative', 'no number', 'chunked', 'none'],
)
def test_requests_that_are_large_or_might_be_are_refused_unread(headers):
    start, body = answer('POST', *headers)
    assert start['status'] == 413
    assert body['body'] == b'too many megabytes at once; drop fewer photos'


@pytest.mark.parametrize('headers', [[length(b'1')], [length(b'1000')]], ids=['answered', 'refused'])
def test_browsers_are_told_to_ask_no_other_server(headers):
    policy = dict(answer('POST', *headers)[0]['headers'])[b'content-security-policy'].decode()
    sources = policy.removeprefix('default-src ').split()
    assert "'self'" in sources
    assert not any('//' in source or '*' in source or source.startswith('http') for source in sources)


def test_what_is_no_request_passes():
    seen = []

    async def lifespan(scope, receive, send):
        seen.append(scope['type'])

    asyncio.run(Guard(lifespan, max_bytes=1)({'type': 'lifespan'}, None, None))
    assert seen == ['lifespan']
