"""Where notices go, as the settings say, with the secrets that sign them."""

import ssl
from pathlib import Path

import msgspec

from sidecar.config import Config
from sidecar.errors import ConfigFault
from sidecar.notices.delivery import Address
from sidecar.notices.signing import secrets_of


def addresses(config: Config) -> list[Address]:
    """Where notices go, with the secrets that sign them. Raises ConfigFault."""
    found = []
    for settings in config.notices.addresses:
        at = f"notices.addresses `{settings.name}`"
        try:
            secrets_ = secrets_of(Path(settings.secret_file).read_text(encoding="utf-8"))
            if settings.ca:
                Path(settings.ca).read_bytes()
                ssl.create_default_context(cafile=settings.ca)
        except ssl.SSLError:
            raise ConfigFault(f"{at}: `ca` {settings.ca}: holds no certificate in PEM") from None
        except OSError as fault:
            raise ConfigFault(f"{at}: {fault.filename}: cannot be read: {fault.strerror}") from None
        except (ConfigFault, UnicodeDecodeError) as fault:
            raise ConfigFault(f"{at}: `secret_file` {settings.secret_file}: {fault}") from None
        given = msgspec.structs.asdict(settings)
        del given["secret_file"]
        found.append(Address(secrets=secrets_, **given))
    return found
