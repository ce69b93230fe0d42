"""Where sources disagree about Ramp: what this one does, and how to make it do the other."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Switches(BaseModel):
    """The defaults are what was seen live; see C1 to C16."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    rate_limit: bool = True
    used_key: Literal["refuse", "replay"] = "refuse"
    unknown_token_status: Literal[401, 404] = 404
    ungranted_scope: Literal["drop", "refuse"] = "drop"
    token_seconds: int = Field(default=864_000, ge=1)
    challenge: Literal["queued", "before_answer"] = "queued"
    webhook_time_scale: float = Field(default=1.0, ge=0)
    sync_request_seconds: float = Field(default=300, gt=0)
    bills_ready_when: Literal["approved", "created"] = "approved"
