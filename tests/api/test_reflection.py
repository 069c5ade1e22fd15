"""What a tool finds out by asking."""

from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.api.corridor import Served, served


def listed(running: Served) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(running.client().channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [response] = stub.ServerReflectionInfo(iter([request]), timeout=10)
    return {service.name for service in response.list_services_response.service}


def test_the_network_transport_describes_itself() -> None:
    with served("grpcio", "127.0.0.1:0") as running:
        services = {path.split("/")[1] for path in running.corridor.table()}
        assert services <= listed(running)
