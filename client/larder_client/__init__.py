"""The larder command, and the keyring backend that signs other clients in."""

__version__ = "0.1.0"
