"""Ramp's published OpenAPI documents as JSON schemas that answers can be held against."""

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT7

ROOT = Path(__file__).resolve().parents[2]
BESIDE_THE_CHECKOUT = ROOT.parent / "shared" / "ramp"
NAMES = ("openapi-2025.json", "openapi-2026-additions.json")
HERE = "urn:ramp-openapi"
_RENAMED = {"oneOf": "anyOf"}
MISSING = (
    "Ramp's OpenAPI file is not at hand: download it from Ramp's developer documentation and set"
    f" RAMP_OPENAPI to its path, or to several joined by {os.pathsep!r}."
)


def find_documents() -> list[Path]:
    """The files that RAMP_OPENAPI names, else those beside the checkout, else none."""
    if named := os.environ.get("RAMP_OPENAPI"):
        return [Path(path) for path in named.split(os.pathsep)]
    beside = [BESIDE_THE_CHECKOUT / name for name in NAMES]
    return [path for path in beside if path.exists()]


class Document:
    """One OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._content: dict[str, Any] = json.loads(path.read_text())

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._content["paths"].get(path, {}).get(method.lower())
        return found

    def validator(self, schema: dict[str, Any]) -> Draft7Validator:
        return Draft7Validator(
            to_json_schema(schema), registry=self._registry, format_checker=FormatChecker()
        )

    @cached_property
    def _registry(self) -> Registry[Any]:
        """What `$ref` leads to, read once for all validators."""
        contents = {"components": to_json_schema(self._content["components"])}
        empty: Registry[Any] = Registry()
        filled: Registry[Any] = empty.with_resource(HERE, DRAFT7.create_resource(contents)).crawl()
        return filled


def document_for(documents: Sequence[Document], spec: str, method: str, path: str) -> Document:
    """The document an operation follows, or whichever has it if that one is not at hand."""
    having = [document for document in documents if document.operation(method, path)]
    preferred = [document for document in having if document.name == spec]
    return (preferred or having)[0]


def to_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema says "or null".

    Ramp's documents say `oneOf` where they mean any: one of their choices is a plain object.
    """
    if isinstance(node, list):
        return [to_json_schema(child) for child in node]
    if not isinstance(node, dict):
        return node
    schema = {
        _RENAMED.get(key, key): to_json_schema(value)
        for key, value in node.items()
        if key != "nullable"
    }
    if "$ref" in schema:
        schema["$ref"] = HERE + schema["$ref"]
    if node.get("nullable") is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
