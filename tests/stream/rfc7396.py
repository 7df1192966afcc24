"""JSON merge patch as RFC 7396, section 2, writes it down: independent of ours, and changing its target in place."""

from typing import Any


def apply(target: Any, patch: Any) -> Any:
    """`MergePatch(Target, Patch)`, line by line."""
    if isinstance(patch, dict):
        if not isinstance(target, dict):
            target = {}
        for name in patch:
            if patch[name] is None:
                if name in target:
                    del target[name]
            else:
                target[name] = apply(target.get(name), patch[name])
        return target
    return patch
