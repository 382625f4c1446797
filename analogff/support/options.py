"""Options of rules: what they are, and the refusal of those that would do nothing."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo

OPTIONS = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
"""Of every model of options."""


def refuse_idle(options: type[BaseModel], info: ValidationInfo, value: Any, *, user: str, used_by: str) -> Any:
    """Refuse an option that would do nothing: one that another option's value leaves unused.

    To be called from a field validator of the option, which must stand after the one that it depends on.

    Args:
        options: The options' class.
        info: What pydantic tells the validator.
        value: The option's value; its default is let pass.
        user: The option that decides.
        used_by: Its value with which this one matters.

    Raises:
        ValueError: If the value would do nothing.
    """
    return refuse_unless(info.data.get(user) in (used_by, None), options, info, value, f'{user} = "{used_by}"')


def refuse_unless(used: bool, options: type[BaseModel], info: ValidationInfo, value: Any, needed: str) -> Any:
    """As `refuse_idle`, for an option that several others may give a use.

    Args:
        used: Whether some of them does.
        options: The options' class.
        info: What pydantic tells the validator.
        value: The option's value; its default is let pass.
        needed: What would give it a use, in words.

    Raises:
        ValueError: If the value would do nothing.
    """
    if not used and value != options.model_fields[str(info.field_name)].default:
        raise ValueError(f"{needed} beside it, without which {info.field_name} does nothing")
    return value
