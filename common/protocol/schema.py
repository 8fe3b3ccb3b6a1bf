"""The protocol's JSON Schema, made from the models: ``python -m common.protocol.schema``.

What a schema can't say stands in docs/protocol.md: the bound of a text in bytes, the order of
messages, and what they mean.
"""

import json
import sys
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from common.limits import PROTOCOL_VERSION
from common.protocol import messages
from common.protocol.messages import KINDS, SENDABLE, FromServer, Message, to_client, to_server

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Without a title for each field, which would repeat the field's own name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (the base class calls it so)
        return False


def protocol_schema() -> dict[str, Any]:
    """A schema (draft 2020-12) whose `$defs` hold every message, `ToServer` and `ToClient`.

    For the way to the server it says what is accepted: no field that is not named, but in `hello`.
    For the way to the client it says what is sent: a field with a default is always present, and
    what a newer server adds is allowed.
    """
    bodies = {kind: TypeAdapter(KINDS[kind]) for kind in sorted(SENDABLE)}
    roots, shared = TypeAdapter.json_schemas(
        [
            ("ToServer", "validation", to_server()),
            ("ToClient", "serialization", to_client()),
            *((kind, "validation", body) for kind, body in bodies.items()),
        ],
        schema_generator=_Plain,
    )
    definitions: dict[str, Any] = {
        "ToServer": roots["ToServer", "validation"],
        "ToClient": roots["ToClient", "serialization"],
    }
    del shared["$defs"]["JsonValue"]  # Anything: `_complete` says so in its place.
    for name, definition in shared["$defs"].items():
        _complete(definition, getattr(messages, name))
    # What `Send` asks of its body by its kind, of which pydantic knows nothing.
    shared["$defs"]["Send"]["properties"] |= {
        "kind": {"type": "string", "enum": [*bodies]},
        "body": {},
    }
    shared["$defs"]["Send"]["oneOf"] = [
        {"properties": {"kind": {"const": kind}, "body": roots[kind, "validation"]}}
        for kind in bodies
    ]
    return {
        "$schema": _DIALECT,
        "title": f"Chat protocol {PROTOCOL_VERSION}",
        "description": "The body of a frame of kind J. docs/protocol.md explains it.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions],
        "$defs": definitions | shared["$defs"],
    }


def text() -> str:
    """The schema as it stands in docs/protocol.schema.json: the same for the same models."""
    return json.dumps(protocol_schema(), indent=2, sort_keys=True) + "\n"


def _complete(definition: dict[str, Any], model: type[Message]) -> None:
    """Add what validation does and pydantic's schema leaves open, or does not say."""
    properties = definition["properties"]
    to_client = issubclass(model, FromServer)
    # The type has a default only so that our own code need not repeat it.
    needed = properties if to_client else {*definition.get("required", ()), "type"} & {*properties}
    definition["required"] = sorted(needed)
    definition["additionalProperties"] = model.model_config["extra"] != "forbid"
    for field in properties.values():
        if to_client or "const" in field:
            field.pop("default", None)
        if "patternProperties" in field:
            field["additionalProperties"] = False
        elif "additionalProperties" in field:
            field["additionalProperties"] = True


if __name__ == "__main__":
    # Bytes: a console's own encoding and line ends are no part of the file.
    sys.stdout.buffer.write(text().encode())
