"""What stands under every app: the clock, the audit event, the stamps, the error base class."""
