"""The bill of materials of a bundle, for people and scanners: CycloneDX 1.6, as JSON (ECMA-424)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from build_specs.contents import Part

_NAMESPACE: Final = UUID("6f0c7f0e-6a5d-5a3e-9a55-3c1d6a0f5b7e")
"""Ours, for serial numbers that follow from the content (RFC 9562, version 5)."""


def write_sbom(parts: Iterable[Part], path: Path, version: str, epoch: int, commit: str) -> None:
    """Write the bill of materials of Chat `version`, built from `commit`.

    `epoch` is the build's time in seconds since 1970 (SOURCE_DATE_EPOCH). The same arguments
    give the same bytes.
    """
    chat = Component(
        name="Chat",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="chat",
        purl=PackageURL(type="generic", name="chat", version=version),
        licenses=[LicenseFactory().make_from_string("MIT")],
        properties=[Property(name="chat:commit", value=commit)],
    )
    components = [_component(part) for part in parts]
    bom = Bom(components=components)
    bom.metadata.component = chat
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.register_dependency(chat, components)
    bom.serial_number = UUID(int=0)  # in place of a random one
    bom.serial_number = uuid5(_NAMESPACE, _json(bom))
    path.write_text(_json(bom) + "\n", "utf-8", newline="\n")


def _component(part: Part) -> Component:
    """The part, with its files as components of their own within."""
    page = ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.homepage))
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=part.purl,
        purl=PackageURL.from_string(part.purl),
        licenses=[LicenseFactory().make_from_string(part.licence)],
        external_references=[page] if part.homepage else None,
        components=[
            Component(
                name=file.path,
                type=ComponentType.FILE,
                bom_ref=f"{part.purl}#{file.path}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.sha256)],
            )
            for file in part.files
        ],
    )


def _json(bom: Bom) -> str:
    return JsonV1Dot6(bom).output_as_string(indent=1)
