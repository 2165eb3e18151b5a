"""What went wrong, as OpenAI's error object and an HTTP status.

A `LocalspecError` made for whoever asked (wrong usage, a full queue) is passed on; of anything
else strangers learn only that it happened.
"""

from localspec.errors import BusyError, ContextError, LocalspecError, UsageError

__all__ = ["Refusal", "document", "refusal"]

_RETRY_SECONDS = 2


class Refusal(LocalspecError):
    """A request that is not served, and why; `param` is the field that is at fault."""

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.param, self.code = status, kind, param, code

    @property
    def retry_after(self) -> int | None:
        """Seconds after which it is worth asking again, or None where it never is."""
        return _RETRY_SECONDS if self.status == 503 else None


def refusal(error: Exception) -> Refusal:
    """Any error in the form in which it may leave the house."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ContextError):
        return Refusal(str(error), code="context_length_exceeded")
    if isinstance(error, UsageError):
        return Refusal(str(error))
    if isinstance(error, BusyError):
        return Refusal(str(error), status=503, kind="server_error", code="overloaded")
    text = "Something went wrong inside the server; its log says what."
    return Refusal(text, status=500, kind="server_error", code="internal_error")


def document(error: Refusal) -> dict[str, dict[str, str | None]]:
    """OpenAI's error object."""
    return {
        "error": {
            "message": str(error),
            "type": error.kind,
            "param": error.param,
            "code": error.code,
        }
    }
