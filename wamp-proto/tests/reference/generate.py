#!/usr/bin/env python3
"""Writes frames.tsv: WAMP messages as other implementations encode them. README.md says how to run it."""

import base64
import json
import struct
import sys

import cbor2
import msgpack
import txaio
import umsgpack

txaio.use_asyncio()  # before autobahn's serializers are imported

from autobahn.wamp import message as ab
from autobahn.wamp import role, serializer

MAX_ID = 2**53

# ---------------------------------------------------------------------------------------------------------------------
# Payloads. `None` in the place of Arguments is what autobahn sends when there are only keyword arguments.

PAYLOADS = {
    "no payload": [],
    "empty args": [[]],
    "empty args and kwargs": [[], {}],
    "args and empty kwargs": [["a"], {}],
    "args": [["Hello, world!", 23]],
    "args and kwargs": [["johnny"], {"firstname": "John", "surname": "Doe"}],
    "kwargs": [[], {"color": "orange", "sizes": [23, 42, 7]}],
    "null args and kwargs": [None, {"a": 1}],
}

VALUES = {
    "every type": [None, True, False, 0, 1, -1, 1.5, "", "text", [], {}, b"", b"\x00\xff"],
    "small integers": [0, 23, 24, 127, 128, 255, 256, -1, -24, -25, -32, -33, -128, -129, -256, -257],
    "larger integers": [2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -(2**15), -(2**15) - 1, -(2**31), -(2**31) - 1],
    "largest integers": [2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**53), -(2**63)],
    "halves": [0.0, -0.0, 1.0, -2.0, 0.5, 65504.0, 5.960464477539063e-08],
    "singles": [0.25, 100000.0, 3.4028234663852886e38, 1.401298464324817e-45, -16777216.0],
    "doubles": [0.1, 1 / 3, 1e300, -1e-300, 1.7976931348623157e308, 5e-324, 9007199254740993.0],
    "unicode": ["ä", "日本語", "🔑", "e\u0301", "\u200b\ufeff", "\U0010ffff", "\x7f\x80", "\u2028\u2029"],
    "escapes": ['"', "\\", "/", "\b\f\n\r\t", "\x01\x1f", '{"a":[1,2]}', "\\u0041", "a\x00b"],
    "lengths of text": ["x" * 23, "x" * 24, "x" * 31, "x" * 32, "x" * 255, "x" * 256],
    "binary": [b"", b"\x01", b"\x01\x02", b"\x00\x00\x00", bytes.fromhex("10e3ff9053075c526f5fc06d4fe37cdb"), bytes(range(256))],
    "nested": [[[[]]], {"a": {"b": {"c": [{}, [], {"": ""}]}}}, {"a": [{"x": b"\x80"}, {"x": [b"", "", None]}]}],
    "lists of 15, 16 and 24": [list(range(15)), list(range(16)), list(range(24))],
    "dicts of 15, 16 and 24": [{f"k{i}": i for i in range(n)} for n in (15, 16, 24)],
    "looks like a message": [[36, 1, 2, {}], '[36,1,2,{},["x"]]'],
}

KEYS = {"": 0, "a": 1, "ä": 2, "🔑": 3, "a b": 4, "a.b": 5, '"': 6, "\\": 7, "\n": 8, "x" * 32: 9}

# ---------------------------------------------------------------------------------------------------------------------
# Messages: every type, every length, known and unknown keys.

UNKNOWN = {"x_cb_node": "node-1", "_own": {"deep": [1, {"bytes": b"\x01"}]}, "later": None, "ratio": 0.5, "resume-session": -1}
PPT = {"ppt_scheme": "wamp", "ppt_serializer": "cbor", "ppt_cipher": "xsalsa20poly1305", "ppt_keyid": "GTtQ37XGJO2O4R8Dvx4AUo8pe61D9evIWpKGQAPdOh0="}
CLIENT_ROLES = {
    "caller": {"features": {"call_canceling": True, "progressive_call_results": True}},
    "callee": {"features": {"call_canceling": True}},
    "publisher": {},
    "subscriber": {"features": {"publisher_identification": False}},
}
ROUTER_ROLES = {"broker": {"features": {"publisher_exclusion": True}, "reflection": True}, "dealer": {}, "oracle": {"x": 1}}
NO_SUCH_REALM = "wamp.error.no_such_realm"


def messages():
    yield "HELLO", [1, "realm1", {}]
    yield "HELLO typed", [1, "realm1", {"roles": CLIENT_ROLES, "agent": "reference", "authid": "joe", "authrole": "user",
                                        "authmethods": ["ticket", "wampcra"], "authextra": {"pubkey": "00ff", "n": None}}]
    yield "HELLO unknown", [1, "realm.ä-1", {"roles": {"caller": {}}, **UNKNOWN}]
    yield "WELCOME", [2, 1, {}]
    yield "WELCOME typed", [2, MAX_ID, {"roles": ROUTER_ROLES, "agent": "router", "realm": "realm1", "authid": "joe", "authrole": "user",
                                        "authmethod": "ticket", "authprovider": "static", "authextra": {}}]
    yield "WELCOME unknown", [2, 9129137332, {"roles": {"broker": {}}, **UNKNOWN}]
    for name, payload in PAYLOADS.items():
        yield f"ABORT {name}", [3, {"message": "no realm"}, NO_SUCH_REALM, *payload]
    yield "ABORT unknown", [3, UNKNOWN, NO_SUCH_REALM]
    yield "CHALLENGE", [4, "ticket", {}]
    yield "CHALLENGE extra", [4, "wampcra", {"challenge": '{"nonce": "LHRTC9zeOIrt_9U3", "session": 3251278072152162}', "salt": "salt123",
                                             "keylen": 32, "iterations": 1000, **UNKNOWN}]
    yield "AUTHENTICATE", [5, "secret!!!", {}]
    yield "AUTHENTICATE extra", [5, "pässwörd🔑", UNKNOWN]
    yield "GOODBYE", [6, {}, "wamp.close.close_realm"]
    yield "GOODBYE typed and unknown", [6, {"message": "bye\n", **UNKNOWN}, "wamp.close.normal"]
    for request in (16, 32, 34, 48, 64, 66, 68):
        yield f"ERROR of {request}", [8, request, 7814135, {}, "wamp.error.not_authorized"]
    for name, payload in PAYLOADS.items():
        yield f"ERROR {name}", [8, 68, 6131533, {}, "com.myapp.error.object_write_protected", *payload]
    yield "ERROR typed and unknown", [8, 48, MAX_ID, {"callee": 1, "callee_authid": "bob", "callee_authrole": "", **PPT, **UNKNOWN}, "a.b"]
    for name, payload in PAYLOADS.items():
        yield f"PUBLISH {name}", [16, 239714735, {}, "com.myapp.mytopic1", *payload]
    yield "PUBLISH typed", [16, 1, {"acknowledge": True, "exclude_me": False, "disclose_me": True, "exclude": [1, MAX_ID], "exclude_authid": ["a"],
                                    "exclude_authrole": [], "eligible": [], "eligible_authid": ["ä", ""], "eligible_authrole": ["x"], "retain": True,
                                    "rkey": "k", **PPT}, "com.üml"]
    yield "PUBLISH unknown", [16, MAX_ID, UNKNOWN, "com.x.y"]
    yield "PUBLISHED", [17, 239714735, 4429313566]
    yield "PUBLISHED largest", [17, MAX_ID, MAX_ID]
    yield "SUBSCRIBE", [32, 713845233, {}, "com.myapp.mytopic1"]
    yield "SUBSCRIBE typed", [32, 1, {"match": "exact", "get_retained": True, "nkey": "n"}, "com.My-App"]
    yield "SUBSCRIBE prefix", [32, 1, {"match": "prefix"}, "com.myapp."]
    yield "SUBSCRIBE wildcard", [32, 1, {"match": "wildcard", **UNKNOWN}, "com..topic."]
    yield "SUBSCRIBE to everything", [32, 1, {"match": "prefix"}, ""]
    yield "SUBSCRIBED", [33, 713845233, 5512315355]
    yield "UNSUBSCRIBE", [34, 85346237, 5512315355]
    yield "UNSUBSCRIBED", [35, 85346237]
    yield "UNSUBSCRIBED revocation", [35, 0, {"subscription": 5512315355, "reason": "wamp.subscription.revoked", **UNKNOWN}]
    yield "UNSUBSCRIBED revocation without details", [35, 0, {}]
    yield "UNSUBSCRIBED with details", [35, 85346237, {"subscription": 1}]
    for name, payload in PAYLOADS.items():
        yield f"EVENT {name}", [36, 5512315355, 4429313566, {}, *payload]
    yield "EVENT typed", [36, 1, MAX_ID, {"publisher": 1231412, "publisher_authid": "joe", "publisher_authrole": "user", "topic": "com.myapp.üml",
                                          "trustlevel": 3, "retained": False, **PPT}, [b"\x00"]]
    yield "EVENT unknown", [36, 4294967296, 9007199254740991, UNKNOWN]
    for name, values in VALUES.items():
        yield f"EVENT of {name}", [36, 1, 2, {}, values]
    yield "EVENT of keys", [36, 1, 2, {}, [], KEYS]
    yield "EVENT of everything", [36, 1, 2, {}, list(VALUES.values()), {**VALUES, **KEYS}]
    for name, payload in PAYLOADS.items():
        yield f"CALL {name}", [48, 7814135, {}, "com.myapp.user.new", *payload]
    yield "CALL typed", [48, 1, {"receive_progress": True, "progress": False, "timeout": 2**64 - 1, "disclose_me": True, "rkey": "k", "runmode": "all", **PPT},
                         "com.myapp.echo", [1]]
    yield "CALL unknown", [48, 1, UNKNOWN, "com.myapp.echo"]
    yield "CANCEL", [49, 7814135, {}]
    for mode in ("skip", "kill", "killnowait"):
        yield f"CANCEL {mode}", [49, 7814135, {"mode": mode}]
    yield "CANCEL unknown", [49, 7814135, UNKNOWN]
    for name, payload in PAYLOADS.items():
        yield f"RESULT {name}", [50, 7814135, {}, *payload]
    yield "RESULT typed", [50, 1, {"progress": True, "callee": 1, "callee_authid": "bob", "callee_authrole": "role", **PPT}, [1.5]]
    yield "RESULT unknown", [50, 1, UNKNOWN]
    yield "REGISTER", [64, 25349185, {}, "com.myapp.myprocedure1"]
    yield "REGISTER typed", [64, 1, {"match": "wildcard", "invoke": "roundrobin", "disclose_caller": True, "forward_timeout": False, "concurrency": 5,
                                     "force_reregister": True}, "com..proc"]
    for invoke in ("single", "random", "first", "last"):
        yield f"REGISTER {invoke}", [64, 1, {"invoke": invoke}, "com.proc"]
    yield "REGISTER unknown", [64, 1, {"match": "prefix", **UNKNOWN}, "com."]
    yield "REGISTERED", [65, 25349185, 2103333224]
    yield "UNREGISTER", [66, 788923562, 2103333224]
    yield "UNREGISTERED", [67, 788923562]
    yield "UNREGISTERED revocation", [67, 0, {"registration": 2103333224, "reason": "wamp.error.unregistered", **UNKNOWN}]
    for name, payload in PAYLOADS.items():
        yield f"INVOCATION {name}", [68, 6131533, 9823529, {}, *payload]
    yield "INVOCATION typed", [68, 1, 1, {"caller": 3335656, "caller_authid": "joe", "caller_authrole": "user", "procedure": "com.myapp.procedure.x",
                                          "trustlevel": 0, "timeout": 30000, "receive_progress": True, "progress": True, **PPT}, [[]]]
    yield "INVOCATION unknown", [68, 1, MAX_ID, UNKNOWN]
    yield "INTERRUPT", [69, 6131533, {}]
    yield "INTERRUPT typed and unknown", [69, 6131533, {"mode": "killnowait", "reason": "wamp.error.canceled", **UNKNOWN}]
    for name, payload in PAYLOADS.items():
        yield f"YIELD {name}", [70, 6131533, {}, *payload]
    yield "YIELD typed", [70, 1, {"progress": True, **PPT}, [b"\xff" * 40], {"b": b""}]
    yield "YIELD unknown", [70, MAX_ID, UNKNOWN]


# ---------------------------------------------------------------------------------------------------------------------
# The encoders. One that cannot carry a message, or would change it, returns None.


def binary_as_text(value):
    if isinstance(value, bytes):
        return "\0" + base64.b64encode(value).decode("ascii")
    if isinstance(value, (list, tuple)):
        return [binary_as_text(item) for item in value]
    if isinstance(value, dict):
        return {key: binary_as_text(item) for key, item in value.items()}
    return value


def leaves(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def fits_singles(value):
    def single(number):
        try:
            return struct.unpack("f", struct.pack("f", number))[0]
        except OverflowError:
            return None

    return all(single(leaf) == leaf for leaf in leaves(value) if isinstance(leaf, float))


def json_compact(wmsg):
    return json.dumps(binary_as_text(wmsg), separators=(",", ":"), ensure_ascii=False).encode()


def json_ascii(wmsg):
    return json.dumps(binary_as_text(wmsg), ensure_ascii=True).encode()


def json_indented(wmsg):
    text = json.dumps(binary_as_text(wmsg), ensure_ascii=True, indent="\t", separators=(" , ", " : "))
    return (" \r\n" + text + "\n").encode()


def msgpack_singles(wmsg):
    return msgpack.packb(wmsg, use_single_float=True) if fits_singles(wmsg) else None


def msgpack_old(wmsg):
    """The raw type of old MessagePack, which has no str 8."""
    return None if any(isinstance(leaf, bytes) for leaf in leaves(wmsg)) else msgpack.packb(wmsg, use_bin_type=False)


def umsgpack_singles(wmsg):
    return umsgpack.packb(wmsg, force_float_precision="single") if fits_singles(wmsg) else None


def msgpack_wide(value):
    """Every integer and length in the widest form that MessagePack has."""
    if value is None or isinstance(value, bool):
        return msgpack.packb(value)
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value) if value < 2**63 else struct.pack(">BQ", 0xCF, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(msgpack_wide, value))
    pairs = (msgpack_wide(key) + msgpack_wide(item) for key, item in value.items())
    return struct.pack(">BI", 0xDF, len(value)) + b"".join(pairs)


def cbor_odd(value):
    """Legal CBOR that few encoders write: indefinite lengths, strings in chunks, long integers, shortest floats, undefined."""
    if value is None:
        return b"\xf7"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return struct.pack(">BQ", 0x1B, value) if value >= 0 else struct.pack(">BQ", 0x3B, -1 - value)
    if isinstance(value, float):
        return cbor2.dumps(value, canonical=True)
    if isinstance(value, bytes):
        chunks = [value[:1], value[1:]]
        return b"\x5f" + b"".join(struct.pack(">BH", 0x59, len(chunk)) + chunk for chunk in chunks) + b"\xff"
    if isinstance(value, str):
        chunks = [chunk.encode() for chunk in (value[:1], "", value[1:])]
        return b"\x7f" + b"".join(struct.pack(">BI", 0x7A, len(chunk)) + chunk for chunk in chunks) + b"\xff"
    if isinstance(value, (list, tuple)):
        return b"\x9f" + b"".join(map(cbor_odd, value)) + b"\xff"
    return b"\xbf" + b"".join(cbor_odd(key) + cbor_odd(item) for key, item in value.items()) + b"\xff"


ENCODERS = [
    ("json", "compact", json_compact),
    ("json", "ascii", json_ascii),
    ("json", "indented", json_indented),
    ("msgpack", "msgpack", msgpack.packb),
    ("msgpack", "msgpack singles", msgpack_singles),
    ("msgpack", "msgpack old", msgpack_old),
    ("msgpack", "umsgpack", umsgpack.packb),
    ("msgpack", "umsgpack singles", umsgpack_singles),
    ("msgpack", "widest", msgpack_wide),
    ("cbor", "cbor2", cbor2.dumps),
    ("cbor", "cbor2 canonical", lambda wmsg: cbor2.dumps(wmsg, canonical=True)),
    ("cbor", "cbor2 indefinite", lambda wmsg: cbor2.dumps(wmsg, indefinite_containers=True)),
    ("cbor", "odd", cbor_odd),
]

# ---------------------------------------------------------------------------------------------------------------------
# autobahn's own messages through its own serializers.


def autobahn_messages():
    client = {
        "caller": role.RoleCallerFeatures(caller_identification=True, call_canceling=True, progressive_call_results=True),
        "callee": role.RoleCalleeFeatures(pattern_based_registration=True, shared_registration=True),
        "publisher": role.RolePublisherFeatures(publisher_exclusion=True, payload_transparency=True),
        "subscriber": role.RoleSubscriberFeatures(),
    }
    router = {
        "broker": role.RoleBrokerFeatures(publisher_identification=True, event_history=False, x_acknowledged_event_delivery=True),
        "dealer": role.RoleDealerFeatures(registration_meta_api=True, testament_meta_api=True),
    }
    forward_for = [{"session": 3, "authid": "joe", "authrole": "user"}, {"session": 4, "authid": None, "authrole": "user"}]
    args, kwargs = ["ü", -1, 2.5, b"\x00\x01", None], {"a": {"b": [b"\xff", True]}}

    yield ab.Hello("realm1", client)
    yield ab.Hello("realm1", client, authmethods=["ticket", "anonymous"], authid="joe", authrole="user", authextra={"x": [1]},
                   resumable=True, resume_session=MAX_ID, resume_token="token")
    yield ab.Welcome(1234567, router)
    yield ab.Welcome(1234567, router, realm="realm1", authid="joe", authrole="user", authmethod="ticket", authprovider="static", authextra={"x": 1},
                     resumed=True, resumable=True, resume_token="token", custom={"x_cb_node": "node-1", "x_cb_pid": 4711})
    yield ab.Abort("wamp.error.no_such_realm")
    yield ab.Abort("wamp.error.no_such_realm", "no realm ü")
    yield ab.Challenge("wampcra", {"challenge": "{}", "salt": "salt123", "keylen": 32, "iterations": 1000})
    yield ab.Challenge("ticket")
    yield ab.Authenticate("signature")
    yield ab.Authenticate("signature", {"foo": 23})
    yield ab.Goodbye()
    yield ab.Goodbye("wamp.close.system_shutdown", "restart", resumable=True)
    yield ab.Error(48, 123, "com.myapp.error1")
    yield ab.Error(48, 123, "com.myapp.error1", args=args, kwargs=kwargs, callee=5, callee_authid="bob", callee_authrole="role", forward_for=forward_for)
    yield ab.Error(68, 123, "com.myapp.error1", kwargs=kwargs)
    yield ab.Publish(123, "com.myapp.topic1")
    yield ab.Publish(123, "com.myapp.topic1", args=args)
    yield ab.Publish(123, "com.myapp.topic1", kwargs=kwargs)
    yield ab.Publish(123, "com.myapp.topic1", args=args, kwargs=kwargs, acknowledge=True, exclude_me=False, exclude=[300], exclude_authid=["a"],
                     exclude_authrole=["b"], eligible=[100, 200], eligible_authid=["c"], eligible_authrole=["d"], retain=True,
                     transaction_hash="0x00", forward_for=forward_for)
    yield ab.Published(123, 456)
    yield ab.Subscribe(123, "com.myapp.topic1")
    yield ab.Subscribe(123, "com.myapp.", match="prefix", get_retained=True, forward_for=forward_for)
    yield ab.Subscribe(123, "com..topic1", match="wildcard")
    yield ab.Subscribed(123, 456)
    yield ab.Unsubscribe(123, 456)
    yield ab.Unsubscribed(123)
    yield ab.Unsubscribed(0, subscription=456, reason="wamp.subscription.revoked")
    yield ab.Event(123, 456)
    yield ab.Event(123, 456, args=args)
    yield ab.Event(123, 456, kwargs=kwargs)
    yield ab.Event(123, 456, args=args, kwargs=kwargs, publisher=300, publisher_authid="joe", publisher_authrole="user", topic="com.myapp.topic1",
                   retained=True, transaction_hash="0x00", x_acknowledged_delivery=True, forward_for=forward_for)
    yield ab.Call(123, "com.myapp.procedure1")
    yield ab.Call(123, "com.myapp.procedure1", args=args)
    yield ab.Call(123, "com.myapp.procedure1", kwargs=kwargs)
    yield ab.Call(123, "com.myapp.procedure1", args=args, kwargs=kwargs, timeout=10000, receive_progress=True, transaction_hash="0x00", caller=7,
                  caller_authid="joe", caller_authrole="user", forward_for=forward_for)
    yield ab.Cancel(123)
    yield ab.Cancel(123, mode="killnowait", forward_for=forward_for)
    yield ab.Result(123)
    yield ab.Result(123, args=args)
    yield ab.Result(123, kwargs=kwargs)
    yield ab.Result(123, args=args, kwargs=kwargs, progress=True, callee=5, callee_authid="bob", callee_authrole="role", forward_for=forward_for)
    yield ab.Register(123, "com.myapp.procedure1")
    yield ab.Register(123, "com..procedure1", match="wildcard", invoke="roundrobin", concurrency=2, force_reregister=True, forward_for=forward_for)
    yield ab.Registered(123, 456)
    yield ab.Unregister(123, 456)
    yield ab.Unregistered(123)
    yield ab.Unregistered(0, registration=456, reason="wamp.registration.revoked")
    yield ab.Invocation(123, 456)
    yield ab.Invocation(123, 456, args=args)
    yield ab.Invocation(123, 456, kwargs=kwargs)
    yield ab.Invocation(123, 456, args=args, kwargs=kwargs, timeout=10000, receive_progress=True, caller=7, caller_authid="joe", caller_authrole="user",
                        procedure="com.myapp.procedure1", transaction_hash="0x00", forward_for=forward_for)
    yield ab.Interrupt(123)
    yield ab.Interrupt(123, mode="kill", reason="wamp.error.canceled", forward_for=forward_for)
    yield ab.Yield(123)
    yield ab.Yield(123, args=args)
    yield ab.Yield(123, kwargs=kwargs)
    yield ab.Yield(123, args=args, kwargs=kwargs, progress=True, callee=5, callee_authid="bob", callee_authrole="role", forward_for=forward_for)


AUTOBAHN_SERIALIZERS = [
    ("json", serializer.JsonSerializer()),
    ("msgpack", serializer.MsgPackSerializer()),
    ("cbor", serializer.CBORSerializer()),
]

# ---------------------------------------------------------------------------------------------------------------------

# How many elements stand before the payload, by message type.
FIXED = {3: 3, 8: 5, 16: 4, 36: 4, 48: 4, 50: 3, 68: 4, 70: 3}


def normal(wmsg):
    """The message as a strict peer writes it: `[]` for null, and no empty Arguments or ArgumentsKw at the end."""
    fixed = FIXED.get(wmsg[0], len(wmsg))
    payload = [element if element is not None else [] for element in wmsg[fixed:]]
    while payload and not payload[-1]:
        payload.pop()
    return [*wmsg[:fixed], *payload]


def write(out, name, wmsg, frames):
    expected = json.dumps(binary_as_text(normal(wmsg)), separators=(",", ":"), ensure_ascii=True)
    print("message", name, expected, sep="\t", file=out)
    seen = set()
    for form, maker, frame in frames:
        if frame is not None and (form, frame) not in seen:
            seen.add((form, frame))
            print(form, maker, frame.hex(), sep="\t", file=out)


def main():
    with open(sys.argv[1], "w", encoding="ascii", newline="\n") as out:
        for name, wmsg in messages():
            write(out, name, wmsg, [(form, maker, encode(wmsg)) for form, maker, encode in ENCODERS])
        for number, msg in enumerate(autobahn_messages()):
            frames = [(form, "autobahn", encoder.serialize(msg)[0]) for form, encoder in AUTOBAHN_SERIALIZERS]
            write(out, f"autobahn {number} {type(msg).__name__}", msg.marshal(), frames)


main()
