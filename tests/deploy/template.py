"""The CloudFormation template as Python sees it, and its policies as the stack has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.checkout import ROOT
from tests.local_athena.iam import Policy, rendered

TEMPLATE = ROOT / "deploy" / "cloudformation" / "pci-log-review.yaml"
POLICIES = ROOT / "deploy" / "policies"
# The policies of the review's own role; the others belong to what starts it.
OF_THE_REVIEW = ("evidence", "keys", "logs-key", "logs-read", "publish", "queries", "settings-read", "tables")


class _Loader(yaml.SafeLoader):
    """Reads !Sub, !Ref and their like in their long forms."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".")
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def template() -> dict[str, Any]:
    """The template, with functions in their long forms."""
    content: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506  # a SafeLoader
    return content


def as_in_a_file(value: Any) -> Any:
    """A policy of the template with ${variables} in place of functions, as the files have them."""
    if isinstance(value, list):
        return [as_in_a_file(one) for one in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": parts}:
            return f"${{{'.'.join(parts)}}}"
        case {"Fn::Sub": str(text)}:
            return text
    return {key: as_in_a_file(one) for key, one in value.items()}


def policies_of(role: Mapping[str, Any]) -> dict[str, Any]:
    """A role's policies by name, those with a condition too."""
    found = (policy["Fn::If"][1] if "Fn::If" in policy else policy for policy in role["Properties"]["Policies"])
    return {policy["PolicyName"]: as_in_a_file(policy["PolicyDocument"]) for policy in found}


def review_policies(values: Mapping[str, str]) -> dict[str, Policy]:
    """The policies of the review's role, with those values for what the stack's parameters and resources are."""
    names = {
        "AWS::Partition": "aws",
        "AWS::Region": "us-east-1",
        "AWS::AccountId": "123456789012",
        "AWS::URLSuffix": "amazonaws.com",
    }
    return rendered(files_of_the_review(), {**names, **values})


def files_of_the_review() -> list[Path]:
    """Where those policies are."""
    return [POLICIES / f"{name}.json" for name in OF_THE_REVIEW]


def variables(text: str) -> set[str]:
    """The ${variables} in a text."""
    return set(re.findall(r"\$\{([\w:.]+)\}", text))
