"""The list of what is inside, for machines: CycloneDX 1.6, checked against its own schema.

The same parts give the same bytes: its number and time come from the version and the build's time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from product import APP_ID, NAME, Product

if TYPE_CHECKING:
    from notices import Part

_SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, APP_ID)


def _reference(part: Part) -> str:
    """Unlike every other part's: the library would put a number that is drawn in place of a second
    one. A work may be under two licences, each of some of its files."""
    told = (part.name, part.version, part.package, f"under {part.licence}")
    return " ".join(text for text in told if text)


def as_json(parts: Iterable[Part], what: Product) -> str:
    """The whole document. Raises ValueError if it does not fit the schema."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL

    licences = LicenseFactory()
    bom = Bom(serial_number=uuid.uuid5(_SPACE, f"{what.version} {what.epoch}"))
    bom.metadata.timestamp = datetime.fromtimestamp(what.epoch, UTC)
    bom.metadata.component = Component(
        name=NAME,
        version=what.version,
        type=ComponentType.APPLICATION,
        bom_ref=NAME,
        licenses=[licences.make_from_string(what.licence)],
    )
    for part in parts:
        url = PackageURL("pypi", None, part.package, part.version) if part.package else None
        bom.components.add(
            Component(
                name=part.name,
                version=part.version or None,
                type=ComponentType(part.kind),
                bom_ref=_reference(part),
                licenses=[licences.make_from_string(part.licence)],
                purl=url,
            )
        )
        bom.register_dependency(bom.metadata.component, [*bom.components])
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the list of parts does not fit CycloneDX 1.6: {problem}")
    return text + "\n"
