"""Autobahn as a foreign client: autobahn_peer.py URL SUBPROTOCOL METHOD joins realm1 there and tries what it can do.

At the other end must be loowy-tokio/tests/foreign, which starts this program: its router, and its client, called the host. METHOD is
anonymous, ticket, wampcra or wampcra-salted. Each scenario that holds is printed, and the first one that does not ends
the program with a traceback.
"""

import asyncio
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import auth, message, serializer
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallOptions, CallResult, PublishOptions, RegisterOptions, SubscribeOptions

FORMATS = {
    "wamp.2.json": serializer.JsonSerializer,
    "wamp.2.msgpack": serializer.MsgPackSerializer,
    "wamp.2.cbor": serializer.CBORSerializer,
}
USERS = {"ticket": "peter", "wampcra": "paul", "wampcra-salted": "pauline"}
SECRETS = {"peter": "ticket1", "paul": "secret1", "pauline": "secret1"}
PATIENCE = 20  # seconds, for one scenario


class Peer(ApplicationSession):
    """One session; `joined` and `left` are futures of the details of each."""

    def __init__(self, method):
        super().__init__()
        self.method = method
        self.joined = asyncio.get_running_loop().create_future()
        self.left = asyncio.get_running_loop().create_future()

    def onConnect(self):
        method = self.method.removesuffix("-salted")
        self.join("realm1", [method], USERS.get(self.method))

    def onChallenge(self, challenge):
        secret = SECRETS[USERS[self.method]]
        if challenge.method == "ticket":
            return secret
        if "salt" in challenge.extra:
            names = ("salt", "iterations", "keylen")
            secret = auth.derive_key(secret, *(challenge.extra[name] for name in names))
        return auth.compute_wcs(secret, challenge.extra["challenge"])

    def onJoin(self, details):
        self.joined.set_result(details)

    def onLeave(self, details):
        self.left.set_result(details)
        if not self.joined.done():
            self.joined.set_exception(Exception(f"refused: {details}"))
        self.disconnect()

    def onUserError(self, failure, text):
        """Errors go to the other end, or are results of it."""


class Events:
    """A subscription's events, in their order."""

    def __init__(self):
        self.queue = asyncio.Queue()

    async def subscribe(self, session, topic, **options):
        self.subscription = await session.subscribe(
            lambda *args, details, **kwargs: self.queue.put_nowait((args, kwargs, details)),
            topic,
            SubscribeOptions(details=True, **options),
        )
        return self

    async def next(self):
        return await self.queue.get()


async def join(url, form, method):
    session = Peer(method)
    runner = ApplicationRunner(url, "realm1", serializers=[FORMATS[form]()])
    transport, _ = await runner.run(lambda _: session, start_loop=False)
    await session.joined
    return session


async def leave(*sessions):
    for session in sessions:
        session.leave()
        details = await session.left
        assert details.reason == "wamp.close.goodbye_and_out", details


async def fails(call, uri):
    """The error of a call, which must have this URI."""
    try:
        result = await call
    except ApplicationError as error:
        assert error.error == uri, error
        return error
    raise AssertionError(f"no error, but {result}")


async def identity(one, _other):
    details = await one.joined
    assert details.authmethod == one.method.removesuffix("-salted"), details
    assert details.authid == USERS.get(one.method, details.authid), details
    found = await one.call("wamp.session.get", details.session)
    assert found["authid"] == details.authid and found["authrole"] == details.authrole, found


async def events(one, other):
    at_one, at_other = Events(), Events()
    await at_one.subscribe(one, "com.peer.events")
    await at_other.subscribe(other, "com.peer.events")
    acknowledged = PublishOptions(acknowledge=True)
    publication = await one.publish("com.peer.events", "nuts", 2.5, [1, None], count=3, options=acknowledged)
    args, kwargs, details = await at_other.next()
    assert (args, kwargs) == (("nuts", 2.5, [1, None]), {"count": 3}), (args, kwargs)
    assert details.publication == publication.id
    # Its publisher is left out, unless it does not want to be.
    await one.publish("com.peer.events", "mine too", options=PublishOptions(acknowledge=True, exclude_me=False))
    for each in (at_one, at_other):
        assert (await each.next())[0] == ("mine too",)
    # Each list, and who gets the event: one, other.
    everybody = {"exclude_me": False}
    ids = {session: (await session.joined).session for session in (one, other)}
    for options, gets in [
        ({"exclude": [ids[other]]}, (True, False)),
        ({"eligible": [ids[other]]}, (False, True)),
        ({"eligible": []}, (False, False)),
        ({"exclude_authid": [(await other.joined).authid]}, (one.method == "anonymous", False)),
        ({"eligible_authid": ["nobody"]}, (False, False)),
        ({"exclude_authrole": ["guest"]}, (False, False)),
        ({"eligible_authrole": ["guest"]}, (True, True)),
    ]:
        await one.publish("com.peer.events", "listed", options=PublishOptions(acknowledge=True, **everybody, **options))
        await one.publish("com.peer.events", "next", options=PublishOptions(acknowledge=True, **everybody))
        for each, got in zip((at_one, at_other), gets):
            expected = ["listed", "next"] if got else ["next"]
            assert [(await each.next())[0][0] for _ in expected] == expected, options
    await at_other.subscription.unsubscribe()
    await one.publish("com.peer.events", "unheard", options=acknowledged)
    assert at_other.queue.empty()


async def retained(one, other):
    await one.publish("com.peer.retained", "kept", options=PublishOptions(acknowledge=True, retain=True))
    late = await Events().subscribe(other, "com.peer.retained", get_retained=True)
    args, _, details = await late.next()
    assert args == ("kept",) and details.retained, details
    await one.publish("com.peer.retained", "live", options=PublishOptions(acknowledge=True))
    args, _, details = await late.next()
    assert args == ("live",) and not details.retained, details


async def patterns_of_topics(one, other):
    prefix = await Events().subscribe(other, "com.peer.patterns", match="prefix")
    wildcard = await Events().subscribe(other, "com.peer..two", match="wildcard")
    await one.publish("com.peer.patterns.one", 1, options=PublishOptions(acknowledge=True))
    await one.publish("com.peer.other.two", 2, options=PublishOptions(acknowledge=True))
    args, _, details = await prefix.next()
    assert args == (1,) and details.topic == "com.peer.patterns.one", details
    args, _, details = await wildcard.next()
    assert args == (2,) and details.topic == "com.peer.other.two", details


async def calls(one, other):
    async def divide(a, b, details, **kwargs):
        if b == 0:
            raise ApplicationError("com.peer.error.division_by_zero", a, text="no", number=7)
        return CallResult(a // b, a % b, **kwargs)

    registration = await other.register(divide, "com.peer.divide", RegisterOptions(details=True))
    result = await one.call("com.peer.divide", 17, 5, unit="nuts")
    assert (tuple(result.results), result.kwresults) == ((3, 2), {"unit": "nuts"}), result
    error = await fails(one.call("com.peer.divide", 17, 0), "com.peer.error.division_by_zero")
    assert (tuple(error.args), error.kwargs) == ((17,), {"text": "no", "number": 7}), error
    await fails(one.register(divide, "com.peer.divide"), "wamp.error.procedure_already_exists")
    await registration.unregister()
    await fails(one.call("com.peer.divide", 17, 5), "wamp.error.no_such_procedure")


async def parts(one, other):
    async def count(last, details):
        for number in range(last):
            details.progress(number, square=number * number)
        return "done"

    registration = await other.register(count, "com.peer.count_here", RegisterOptions(details=True))
    seen = []
    options = CallOptions(on_progress=lambda number, square: seen.append((number, square)))
    assert await one.call("com.peer.count_here", 4, options=options) == "done"
    assert seen == [(0, 0), (1, 1), (2, 4), (3, 9)], seen
    await registration.unregister()


async def cancelled(one, _other):
    for mode in ("kill", "killnowait", "skip", None):
        waiting = one.call("com.host.stuck")
        await one.call("com.host.stuck_has_begun")
        request = next(number for number, call in one._call_reqs.items() if call.procedure == "com.host.stuck")
        one._transport.send(message.Cancel(request, mode=mode))
        await fails(waiting, "wamp.error.canceled")
        # Without a mode it is that of the specification, which tells the callee.
        expected = "not told" if mode == "skip" else "told"
        assert await one.call("com.host.stuck_was_told", mode == "skip") == expected, mode


async def timed_out(one, _other):
    # Milliseconds: as seconds they would outlast the scenario.
    waiting = one.call("com.host.stuck", options=CallOptions(timeout=200))
    await one.call("com.host.stuck_has_begun")
    await fails(waiting, "wamp.error.timeout")
    assert await one.call("com.host.stuck_was_told", False) == "told"


async def patterns_of_procedures(one, other):
    async def which(details):
        return details.procedure

    registrations = [
        await other.register(which, "com.peer.procedures", RegisterOptions(match="prefix", details=True)),
        await other.register(which, "com..wild", RegisterOptions(match="wildcard", details=True)),
    ]
    for procedure in ("com.peer.procedures.one", "com.anything.wild"):
        assert await one.call(procedure) == procedure
    for registration in registrations:
        await registration.unregister()


async def shared(one, other):
    def named(name):
        async def procedure():
            return name

        return procedure

    for invoke, expected in [
        ("first", ["one"] * 4),
        ("last", ["other"] * 4),
        ("roundrobin", ["one", "other"] * 2),
        ("random", None),
    ]:
        options = RegisterOptions(invoke=invoke)
        registrations = [
            await one.register(named("one"), "com.peer.shared", options),
            await other.register(named("other"), "com.peer.shared", options),
        ]
        found = [await one.call("com.peer.shared") for _ in range(4)]
        assert found == expected or (expected is None and set(found) <= {"one", "other"}), (invoke, found)
        for registration in registrations:
            await registration.unregister()


async def meta(one, other):
    ids = [(await session.joined).session for session in (one, other)]
    assert await one.call("wamp.session.count") >= 3
    assert set(ids) <= set(await one.call("wamp.session.list"))
    joins = await Events().subscribe(one, "wamp.session.on_join")
    leaves = await Events().subscribe(one, "wamp.session.on_leave")
    # A session to be killed.
    third = await join(one.url, one.form, one.method)
    details = await third.joined
    args, _, _ = await joins.next()
    assert args[0]["session"] == details.session and args[0]["authid"] == details.authid, args
    await one.call("wamp.session.kill", details.session, reason="com.peer.close.enough", message="out")
    left = await third.left
    assert (left.reason, left.message) == ("com.peer.close.enough", "out"), left
    args, _, _ = await leaves.next()
    assert args[0] == details.session, args

    async def nothing():
        pass

    registration = await other.register(nothing, "com.peer.meta")
    assert await one.call("wamp.registration.lookup", "com.peer.meta") == registration.id
    assert await one.call("wamp.registration.match", "com.peer.meta") == registration.id
    assert registration.id in (await one.call("wamp.registration.list"))["exact"]
    assert (await one.call("wamp.registration.get", registration.id))["uri"] == "com.peer.meta"
    assert await one.call("wamp.registration.list_callees", registration.id) == [ids[1]]
    assert await one.call("wamp.registration.count_callees", registration.id) == 1
    await registration.unregister()
    at_other = await Events().subscribe(other, "com.peer.meta")
    subscription = at_other.subscription.id
    assert await one.call("wamp.subscription.lookup", "com.peer.meta") == subscription
    assert await one.call("wamp.subscription.match", "com.peer.meta") == [subscription]
    assert subscription in (await one.call("wamp.subscription.list"))["exact"]
    assert (await one.call("wamp.subscription.get", subscription))["uri"] == "com.peer.meta"
    assert await one.call("wamp.subscription.list_subscribers", subscription) == [ids[1]]
    assert await one.call("wamp.subscription.count_subscribers", subscription) == 1
    await fails(one.call("wamp.session.get", 1), "wamp.error.no_such_session")


async def testament(one, other):
    heard = await Events().subscribe(one, "com.peer.testament")
    third = await join(one.url, one.form, one.method)
    await third.call("wamp.session.add_testament", "com.peer.testament", ["farewell"], {"number": 7})
    await leave(third)
    args, kwargs, _ = await heard.next()
    assert (args, kwargs) == (("farewell",), {"number": 7}), (args, kwargs)


async def values(one, _other):
    # The host speaks another format.
    sent = ["äöü 😀", 2**64 - 1, -(2**63), 2**53 + 1, 0.1, True, None, [], {}, {"a": [1, {"b": None}]}, b"\x00\xff bytes"]
    found = await one.call("com.host.echo", *sent)
    assert list(found.results) == sent, found.results
    assert await one.call("com.host.echo", "x" * (1 << 19)) == "x" * (1 << 19)


async def the_host_serves(one, _other):
    assert await one.call("com.host.add", 2, 3) == 5
    error = await fails(one.call("com.host.fail"), "com.host.error.bad")
    assert (tuple(error.args), error.kwargs) == ((1, "x"), {"why": "because"}), error
    seen = []
    assert await one.call("com.host.count", 3, options=CallOptions(on_progress=seen.append)) == "done"
    assert seen == [0, 1, 2], seen
    publication = await one.publish("com.host.topic", 1, "x", why="because", options=PublishOptions(acknowledge=True))
    assert await one.call("com.host.next_event") == f"{publication.id} 1 x because"


async def the_host_calls(one, _other):
    told, released = 0, asyncio.Event()

    async def echo(*args, **kwargs):
        return CallResult(*args, **kwargs)

    async def fail():
        raise ApplicationError("com.peer.error.bad", 1, "x", why="because")

    async def count(last, details):
        for number in range(last):
            details.progress(number)
        return "done"

    async def stuck():
        try:
            await one.call("com.host.peer_has_begun")
            await released.wait()
        except asyncio.CancelledError:
            nonlocal told
            told += 1
            raise ApplicationError("com.peer.error.stopped") from None

    heard = await Events().subscribe(one, "com.peer.topic")
    registrations = [
        await one.register(echo, "com.peer.echo"),
        await one.register(fail, "com.peer.fail"),
        await one.register(count, "com.peer.count", RegisterOptions(details=True)),
        await one.register(stuck, "com.peer.stuck"),
    ]
    assert await one.call("com.host.checks") == "all is well"
    assert await one.call("com.host.checks_of_cancels") == "all is well"
    assert told == 2, told  # all but skip
    released.set()
    args, kwargs, _ = await heard.next()
    assert (args, kwargs) == ((1, "x"), {"why": "because"}), (args, kwargs)
    for registration in registrations:
        await registration.unregister()


SCENARIOS = [
    identity,
    events,
    retained,
    patterns_of_topics,
    calls,
    parts,
    cancelled,
    timed_out,
    patterns_of_procedures,
    shared,
    meta,
    testament,
    values,
    the_host_serves,
    the_host_calls,
]


async def main(url, form, method):
    one, other = await join(url, form, method), await join(url, form, method)
    one.url, one.form = url, form
    for scenario in SCENARIOS:
        await asyncio.wait_for(scenario(one, other), PATIENCE)
        print(f"foreign ran: autobahn::{form}::{method}::{scenario.__name__}", flush=True)
    await leave(one, other)


asyncio.run(main(*sys.argv[1:]))
