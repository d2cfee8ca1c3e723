"""How passwords are stored."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class ModestArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id at OWASP's smaller setting: 19 MiB and two passes.

    Django's default takes 100 MiB for each check. Clients send a password with every request,
    and 32 threads of them at once would take 3 GiB.
    """

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1
