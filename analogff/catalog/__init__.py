"""Names, parameters and descriptions of devices and rules."""

from analogff.catalog.names import (
    DEVICES,
    RULES,
    WRAPPERS,
    CatalogError,
    device_names,
    distribution,
    fingerprint,
    is_file,
    is_plug_in,
    registered,
    resolve_device,
    resolve_rule,
    rule_names,
    summary,
)

__all__ = [
    "DEVICES",
    "RULES",
    "WRAPPERS",
    "WRAPPERS",
    "DEVICES",
    "RULES",
    "CatalogError",
    "device_names",
    "distribution",
    "fingerprint",
    "is_file",
    "is_plug_in",
    "registered",
    "resolve_device",
    "resolve_rule",
    "rule_names",
    "summary",
]
