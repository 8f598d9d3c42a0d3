"""An xconn router with two realms and three ways in: serve_xconn.py PORT serves ws://127.0.0.1:PORT/ws until it is ended."""

import asyncio
import sys

from wampproto import auth
from xconn.router import Router
from xconn.server import Server

REALMS = ("realm1", "realm2")


class Users(auth.IServerAuthenticator):
    def methods(self):
        return ["anonymous", "ticket", "wampcra"]

    def authenticate(self, request):
        if request.realm not in REALMS:
            raise Exception("no such realm")
        match request:
            case auth.AnonymousRequest():
                return auth.Response("anonymous", "anonymous")
            case auth.TicketRequest(authid="peter", ticket="ticket1"):
                return auth.Response("peter", "anonymous")
            case auth.WAMPCRARequest(authid="peter"):
                return auth.WAMPCRAResponse("peter", "anonymous", "secret1")
        raise Exception("access denied")


async def main(port):
    router = Router()
    for realm in REALMS:
        router.add_realm(realm)
    await Server(router, Users()).start("127.0.0.1", port)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
