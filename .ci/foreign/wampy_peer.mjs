// wampy.js as a foreign client: wampy_peer.mjs URL SUBPROTOCOL METHOD joins realm1 there and tries what it can do, also what no other
// foreign client can: input in parts, and payload passthru mode. LOOWY_WAMPY is the folder that it is installed in.
//
// At the other end must be loowy-tokio/tests/foreign, which starts this program: its router, and its client, called the host. METHOD is
// anonymous, ticket, wampcra or wampcra-salted. Each scenario that holds is printed, and the first one that does not ends
// the program with a stack trace.

import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { pathToFileURL } from 'node:url';

const load = (path) => import(pathToFileURL(`${process.env.LOOWY_WAMPY}/node_modules/${path}`));
const { Wampy } = await load('wampy/dist/esm/wampy.js');
const { JsonSerializer } = await load('wampy/dist/esm/serializers/json-serializer.js');
const { MsgpackSerializer } = await load('wampy/dist/esm/serializers/msgpack-serializer.js');
const { CborSerializer } = await load('wampy/dist/esm/serializers/cbor-serializer.js');
const { sign } = await load('wampy/dist/esm/auth/wampcra/wampy-cra.js');
const { WebSocket } = await load('ws/wrapper.mjs');

// A serializer that leaves out options that are not set, such as `match`. JSON has no word for them, but the binary formats have:
// Crossbar.io closes the connection then, and so does our router.
const tidy = (serializer) => ({
    protocol: serializer.protocol,
    isBinary: serializer.isBinary,
    encode: (message) => serializer.encode(Array.isArray(message) ? message.map(withoutUnset) : withoutUnset(message)),
    decode: (data) => serializer.decode(data),
});

function withoutUnset(value) {
    if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) {
        return value;
    }
    return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

const FORMATS = { 'wamp.2.json': JsonSerializer, 'wamp.2.msgpack': MsgpackSerializer, 'wamp.2.cbor': CborSerializer };
const USERS = { ticket: 'peter', wampcra: 'paul', 'wampcra-salted': 'pauline' };
const PATIENCE = 20_000; // milliseconds, for one scenario

const [url, subprotocol, method] = process.argv.slice(2);
const isBinary = subprotocol !== 'wamp.2.json';

// Joins, with these features announced beside its own.
async function join(features = {}) {
    const authmethod = method.replace(/-salted$/, '');
    const credentials = method === 'anonymous' ? {} : {
        authid: USERS[method],
        authmethods: [authmethod],
        onChallenge: authmethod === 'ticket' ? () => 'ticket1' : sign('secret1'),
    };
    const wampy = new Wampy(url, {
        realm: 'realm1',
        ws: WebSocket,
        autoReconnect: false,
        serializer: tidy(new FORMATS[subprotocol]()),
        payloadSerializers: { json: new JsonSerializer(), cbor: new CborSerializer(), msgpack: tidy(new MsgpackSerializer()) },
        ...credentials,
    });
    for (const [role, more] of Object.entries(features)) {
        Object.assign(wampy._wamp_features.roles[role].features, more);
    }
    wampy.welcome = await wampy.connect();
    return wampy;
}

// The events of a subscription, in their order.
class Events {
    #queue = [];
    #news = new EventEmitter();

    async subscribe(wampy, topic, options) {
        this.subscription = await wampy.subscribe(topic, (event) => {
            this.#queue.push(event);
            this.#news.emit('event');
        }, options);
        return this;
    }

    async next() {
        while (this.#queue.length === 0) {
            await once(this.#news, 'event');
        }
        return this.#queue.shift();
    }

    get isEmpty() {
        return this.#queue.length === 0;
    }
}

// The error of a promise, which must have this URI.
async function fails(promise, uri) {
    const error = await promise.then((result) => assert.fail(`no error, but ${JSON.stringify(result)}`), (error) => error);
    assert.equal(error.errorUri, uri, error);
    return error;
}

const result = (argsList, argsDict) => ({ argsList, argsDict });

const SCENARIOS = {
    async identity(one) {
        assert.equal(one.welcome.authmethod, method.replace(/-salted$/, ''));
        assert.equal(one.welcome.authid, USERS[method] ?? one.welcome.authid);
        const found = (await one.call('wamp.session.get', [one.getSessionId()])).argsList[0];
        assert.equal(found.authid, one.welcome.authid);
    },

    async events(one, other) {
        const [atOne, atOther] = [new Events(), new Events()];
        await atOne.subscribe(one, 'com.peer.events');
        await atOther.subscribe(other, 'com.peer.events');
        const published = await one.publish('com.peer.events', result(['nuts', 2.5, [1, null]], { count: 3 }));
        const event = await atOther.next();
        assert.deepEqual([event.argsList, event.argsDict], [['nuts', 2.5, [1, null]], { count: 3 }]);
        assert.ok(Number(published.publicationId) > 0);
        for (const [options, gets] of [
            [{ exclude_me: false, exclude: [other.getSessionId()] }, false],
            [{ eligible: [other.getSessionId()] }, true],
            [{ exclude_authid: [other.welcome.authid] }, false],
            [{ eligible_authid: ['nobody'] }, false],
            [{ exclude_authrole: 'guest' }, false],
            [{ eligible_authrole: 'guest' }, true],
        ]) {
            await one.publish('com.peer.events', ['listed'], options);
            await one.publish('com.peer.events', ['next']);
            for (const expected of gets ? ['listed', 'next'] : ['next']) {
                assert.deepEqual((await atOther.next()).argsList, [expected], Object.keys(options).join());
            }
        }
        assert.ok(atOne.isEmpty, 'a publisher got its own event');
        await other.unsubscribe(atOther.subscription.subscriptionKey);
        await one.publish('com.peer.events', ['unheard']);
        assert.ok(atOther.isEmpty);
    },

    async patterns_of_topics(one, other) {
        const prefix = await new Events().subscribe(other, 'com.peer.patterns', { match: 'prefix' });
        const wildcard = await new Events().subscribe(other, 'com.peer..two', { match: 'wildcard' });
        await one.publish('com.peer.patterns.one', [1]);
        await one.publish('com.peer.other.two', [2]);
        let event = await prefix.next();
        assert.deepEqual([event.argsList, event.details.topic], [[1], 'com.peer.patterns.one']);
        event = await wildcard.next();
        assert.deepEqual([event.argsList, event.details.topic], [[2], 'com.peer.other.two']);
    },

    async calls(one, other) {
        await other.register('com.peer.divide', ({ argsList: [a, b], argsDict }) => {
            if (b === 0) {
                throw { error: 'com.peer.error.division_by_zero', details: {}, argsList: [a], argsDict: { text: 'no' } };
            }
            return result([Math.floor(a / b), a % b], argsDict);
        });
        const divided = await one.call('com.peer.divide', result([17, 5], { unit: 'nuts' }));
        assert.deepEqual([divided.argsList, divided.argsDict], [[3, 2], { unit: 'nuts' }]);
        const error = await fails(one.call('com.peer.divide', [17, 0]), 'com.peer.error.division_by_zero');
        assert.deepEqual([error.argsList, error.argsDict], [[17], { text: 'no' }]);
        await fails(one.register('com.peer.divide', () => {}), 'wamp.error.procedure_already_exists');
        await other.unregister('com.peer.divide');
        await fails(one.call('com.peer.divide', [17, 5]), 'wamp.error.no_such_procedure');
    },

    async cancelled(one) {
        for (const mode of ['kill', 'killnowait', 'skip', undefined]) {
            const waiting = one.call('com.host.stuck');
            const { reqId } = one.getOpStatus();
            await one.call('com.host.stuck_has_begun');
            one.cancel(reqId, mode && { mode });
            await fails(waiting, 'wamp.error.canceled');
            const told = await one.call('com.host.stuck_was_told', [mode === 'skip']);
            assert.deepEqual(told.argsList, [mode === 'skip' ? 'not told' : 'told'], mode);
        }
    },

    async timed_out(one) {
        // Milliseconds: as seconds they would outlast the scenario.
        const waiting = one.call('com.host.stuck', [], { timeout: 200 });
        await one.call('com.host.stuck_has_begun');
        await fails(waiting, 'wamp.error.timeout');
        assert.deepEqual((await one.call('com.host.stuck_was_told', [false])).argsList, ['told']);
    },

    async patterns_of_procedures(one, other) {
        const which = ({ details }) => [details.procedure];
        for (const [pattern, match, procedure] of [
            ['com.peer.procedures', 'prefix', 'com.peer.procedures.one'],
            ['com..wild', 'wildcard', 'com.anything.wild'],
        ]) {
            await other.register(pattern, which, { match });
            assert.deepEqual((await one.call(procedure)).argsList, [procedure]);
        }
    },

    async shared(one, other) {
        for (const [invoke, expected] of [
            ['first', ['one', 'one', 'one', 'one']],
            ['last', ['other', 'other', 'other', 'other']],
            ['roundrobin', ['one', 'other', 'one', 'other']],
        ]) {
            const procedure = `com.peer.shared.${invoke}`;
            await one.register(procedure, () => ['one'], { invoke });
            await other.register(procedure, () => ['other'], { invoke });
            const found = [];
            while (found.length < 4) {
                found.push((await one.call(procedure)).argsList[0]);
            }
            assert.deepEqual(found, expected, invoke);
        }
    },

    async meta(one, other) {
        const ids = [one.getSessionId(), other.getSessionId()];
        const list = (await one.call('wamp.session.list')).argsList[0];
        assert.ok(ids.every((id) => list.includes(id)));
        const joins = await new Events().subscribe(one, 'wamp.session.on_join');
        const leaves = await new Events().subscribe(one, 'wamp.session.on_leave');
        const third = await join();
        const session = third.getSessionId();
        assert.equal((await joins.next()).argsList[0].session, session);
        await third.disconnect();
        assert.equal((await leaves.next()).argsList[0], session);
        const { registrationId } = await other.register('com.peer.meta', () => {});
        assert.equal((await one.call('wamp.registration.lookup', ['com.peer.meta'])).argsList[0], registrationId);
        assert.deepEqual((await one.call('wamp.registration.list_callees', [registrationId])).argsList[0], [ids[1]]);
        await fails(one.call('wamp.session.get', [1]), 'wamp.error.no_such_session');
    },

    async parts(one, _, able) {
        // It says that it takes parts of results, but not that it gives them.
        await able.register('com.peer.count_here', ({ argsList: [last], details, result_handler }) => {
            assert.equal(details.receive_progress, true);
            for (let number = 0; number < last; number++) {
                result_handler({ argsList: [number], options: { progress: true } });
            }
            return ['done'];
        });
        const seen = [];
        const options = { progress_callback: ({ argsList }) => seen.push(argsList[0]) };
        assert.deepEqual((await one.call('com.peer.count_here', [4], options)).argsList, ['done']);
        assert.deepEqual(seen, [0, 1, 2, 3]);
    },

    async input_in_parts(_one, _other, able) {
        // To itself, by way of the router.
        let sum = 0;
        await able.register('com.peer.sum_here', ({ argsList: [number], details }) => {
            sum += number;
            return { argsList: [sum], options: details.progress ? { progress: true } : {} };
        });
        for (const procedure of ['com.peer.sum_here', 'com.host.sum']) {
            const seen = [];
            const options = { progress_callback: ({ argsList }) => seen.push(argsList[0]) };
            const call = able.progressiveCall(procedure, [1], options);
            call.sendData([2]);
            call.sendData([3]);
            call.sendData([4], { progress: false });
            assert.deepEqual((await call.result).argsList, [10], procedure);
            assert.deepEqual(seen, [1, 3, 6], procedure);
        }
    },

    async input_in_parts_needs_the_announcement() {
        // A session of its own, because it does not survive.
        const plain = await join();
        const call = plain.progressiveCall('com.host.sum', [1]);
        await assert.rejects(call.result);
    },

    async sealed(one, other) {
        const at = await new Events().subscribe(other, 'com.peer.sealed');
        await other.register('com.peer.sealed', ({ argsList, argsDict, details }) => {
            const { ppt_scheme, ppt_serializer, ppt_keyid } = details;
            return { argsList, argsDict, options: { ppt_scheme, ppt_serializer, ppt_keyid } };
        });
        // In JSON it knows no bytes, and seals texts, which nobody else does.
        for (const serializer of isBinary ? ['cbor', 'msgpack'] : ['json']) {
            const options = { ppt_scheme: 'x_plain', ppt_serializer: serializer, ppt_keyid: 'key1' };
            const payload = result(['x', 1, null], { why: 'because' });
            await one.publish('com.peer.sealed', payload, options);
            const event = await at.next();
            assert.deepEqual([event.argsList, event.argsDict], [payload.argsList, payload.argsDict]);
            const { ppt_scheme, ppt_serializer, ppt_keyid } = event.details;
            assert.deepEqual({ ppt_scheme, ppt_serializer, ppt_keyid }, options);
            for (const procedure of isBinary ? ['com.peer.sealed', 'com.host.sealed'] : ['com.peer.sealed']) {
                const echo = await one.call(procedure, payload, options);
                assert.deepEqual([echo.argsList, echo.argsDict], [payload.argsList, payload.argsDict], procedure);
                assert.equal(echo.details.ppt_scheme, 'x_plain', procedure);
            }
            if (!isBinary) {
                continue;
            }
            const topic = result([1, 'x'], { why: 'because' });
            const { publicationId } = await one.publish('com.host.topic', topic, options);
            assert.deepEqual((await one.call('com.host.next_event')).argsList, [`${publicationId} 1 x because`]);
        }
    },

    async values(one) {
        // The host speaks another format.
        const sent = ['äöü 😀', Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, true, null, [], {}, { a: [1, { b: null }] }];
        assert.deepEqual((await one.call('com.host.echo', sent)).argsList, sent);
        if (isBinary) {
            const bytes = Uint8Array.from([0, 255, 128, 0x41]);
            const found = (await one.call('com.host.echo', [bytes])).argsList[0];
            assert.deepEqual([...found], [...bytes]);
        }
        const long = 'x'.repeat(1 << 20);
        assert.equal((await one.call('com.host.echo', [long])).argsList[0], long);
    },

    async the_host_serves(one) {
        assert.deepEqual((await one.call('com.host.add', [2, 3])).argsList, [5]);
        const error = await fails(one.call('com.host.fail'), 'com.host.error.bad');
        assert.deepEqual([error.argsList, error.argsDict], [[1, 'x'], { why: 'because' }]);
        const seen = [];
        const options = { progress_callback: ({ argsList }) => seen.push(argsList[0]) };
        assert.deepEqual((await one.call('com.host.count', [3], options)).argsList, ['done']);
        assert.deepEqual(seen, [0, 1, 2]);
        const { publicationId } = await one.publish('com.host.topic', result([1, 'x'], { why: 'because' }));
        assert.deepEqual((await one.call('com.host.next_event')).argsList, [`${publicationId} 1 x because`]);
    },

    async the_host_calls(_one, _other, able) {
        const heard = await new Events().subscribe(able, 'com.peer.topic');
        let sum = 0;
        await able.register('com.peer.echo', ({ argsList, argsDict, details }) => {
            const { ppt_scheme, ppt_serializer } = details;
            return { argsList, argsDict, options: ppt_scheme ? { ppt_scheme, ppt_serializer } : {} };
        });
        await able.register('com.peer.fail', () => {
            throw { error: 'com.peer.error.bad', details: {}, argsList: [1, 'x'], argsDict: { why: 'because' } };
        });
        await able.register('com.peer.count', ({ argsList: [last], result_handler }) => {
            for (let number = 0; number < last; number++) {
                result_handler({ argsList: [number], options: { progress: true } });
            }
            return ['done'];
        });
        await able.register('com.peer.sum', ({ argsList: [number], details }) => {
            sum += number;
            return { argsList: [sum], options: details.progress ? { progress: true } : {} };
        });
        assert.deepEqual((await able.call('com.host.checks')).argsList, ['all is well']);
        const event = await heard.next();
        assert.deepEqual([event.argsList, event.argsDict], [[1, 'x'], { why: 'because' }]);
        assert.deepEqual((await able.call('com.host.checks_of_parts')).argsList, ['all is well']);
        if (isBinary) {
            assert.deepEqual((await able.call('com.host.checks_of_sealed')).argsList, ['all is well']);
        }
    },

    async the_host_cancels(one) {
        // It cannot be interrupted, and says so: the host's call ends all the same.
        await one.register('com.peer.stuck', async () => {
            await one.call('com.host.peer_has_begun');
            return new Promise(() => {});
        });
        assert.deepEqual((await one.call('com.host.checks_of_cancels')).argsList, ['all is well']);
    },
};

const late = (name) => setTimeout(() => {
    console.error(`${name} does not end`);
    process.exit(1);
}, PATIENCE);

const able = { caller: { progressive_call_invocations: true }, callee: { progressive_call_results: true, progressive_call_invocations: true, call_canceling: true } };
const sessions = [await join(), await join(), await join(able)];
for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const timer = late(name);
    await scenario(...sessions);
    clearTimeout(timer);
    console.log(`foreign ran: wampy::${subprotocol}::${method}::${name}`);
}
for (const session of sessions) {
    await session.disconnect();
}
