"""Why a file could not be downloaded. Facts: `syncing.classifier` says whose problem they are.

FileNotFetched
├── AddressRefused     it leads where we do not go
├── AddressExpired     the host no longer honours it: ask Ramp for a new one
├── FileTooLarge
└── HostUnavailable    nothing usable came; later it may
"""


class FileNotFetched(Exception):
    """A file could not be downloaded. The message is for support; it names no signature."""


class AddressRefused(FileNotFetched):
    """The address leads to a host or in a way that is not allowed. Nothing went there."""

    def __init__(self, message: str, *, host: str) -> None:
        super().__init__(message)
        self.host = host


class AddressExpired(FileNotFetched):
    """The host refuses the address: its signature has run out, or the file is gone."""


class FileTooLarge(FileNotFetched):
    """The file has more bytes than are taken. It was not read to its end."""


class HostUnavailable(FileNotFetched):
    """The host did not answer, or not with a file."""
