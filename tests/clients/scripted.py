"""A real gRPC server that answers from a script, and what it was asked."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

Reply = bytes | grpc.StatusCode | Callable[[], bytes]


class Script(grpc.GenericRpcHandler):
    """Answers every call with the next reply, the last one for ever; remembers method, message and metadata."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, bytes, dict[str, str | bytes]]] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method
        metadata = dict(handler_call_details.invocation_metadata or ())

        def answer(message: bytes, context: grpc.ServicerContext) -> bytes:
            self.asked.append((method, message, metadata))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if isinstance(reply, grpc.StatusCode):
                context.abort(reply, "as the script says")
            return reply() if callable(reply) else reply

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def serving(script: Script, credentials: grpc.ServerCredentials | None = None) -> Iterator[str]:
    """The address of a server that plays this script."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=(script,))
    place = "127.0.0.1:0"
    port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


def slow(seconds: float, reply: bytes) -> Callable[[], bytes]:
    """A reply that comes after a while."""

    def wait() -> bytes:
        time.sleep(seconds)
        return reply

    return wait
