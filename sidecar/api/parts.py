"""The messages of a question with parts of it left as bytes: what comes again in the same bytes is read once."""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from sidecar.v1 import access_pb2


def in_parts(kind: type[Message]) -> Any:
    """`kind` with every message in it as the list of its bytes.

    A list: protobuf joins what is said of one message twice, and so do its bytes.
    """
    return _made(kind, {}, FieldDescriptorProto.LABEL_REPEATED)


def once_in_parts(kind: type[Message], *read: type[Message]) -> Any:
    """`kind` with the messages in it as bytes, but for those of the kinds `read`, which are read in parts too.

    Of a message said twice it keeps the last: what was read is then shorter than what was sent.
    So it is where a message is said and empty, which bytes cannot say; a list that is absent is told from an empty one.
    """
    return _made(kind, {each.DESCRIPTOR.full_name: each for each in read}, FieldDescriptorProto.LABEL_OPTIONAL)


def _made(kind: type[Message], read: dict[str, type[Message]], label: "FieldDescriptorProto.Label.ValueType") -> Any:
    file = FileDescriptorProto(name=f"{kind.__name__}.parts", package="sidecar.v1", syntax="proto3")
    for each in (kind, *read.values()):
        message = file.message_type.add(name=each.__name__)
        for field in each.DESCRIPTOR.fields:
            part = message.field.add(name=field.name, number=field.number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            if field.message_type is None:
                part.type = FieldDescriptorProto.TYPE_STRING
            elif field.message_type.full_name in read:
                part.type, part.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{field.message_type.full_name}"
            else:
                part.type, part.label = FieldDescriptorProto.TYPE_BYTES, label
                if field.message_type is access_pb2.Strings.DESCRIPTOR:
                    # proto3's `optional` is a oneof of one.
                    part.proto3_optional, part.oneof_index = True, len(message.oneof_decl)
                    message.oneof_decl.add(name=f"_{field.name}")
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"sidecar.v1.{kind.__name__}"))
