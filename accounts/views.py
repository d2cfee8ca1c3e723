"""What people do for themselves: sign in, change their password, answer an invitation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import members
from accounts.authentication import CredentialsRefused, again, by_password, signed_in
from accounts.models import User
from accounts.throttle import FailuresUncounted, TooManyFailures
from base.errors import InvalidInput
from base.stamps import configuring

# A session ends this long after its sign-in, used or not: a stolen cookie does too.
SESSION_LASTS = timedelta(days=14)


class SignInForm(AuthenticationForm):
    """Name and password of a person. Who may come in is decided in accounts.authentication."""

    error_messages = {  # noqa: RUF012 - Django declares it so
        **AuthenticationForm.error_messages,
        "invalid_login": "The user name or password is wrong, or the account is disabled.",
    }
    refusal: TooManyFailures | FailuresUncounted | None = None

    def clean(self) -> dict[str, Any]:
        """Ask for the user of this name and password; a refusal stands above the form."""
        try:
            return super().clean()
        except (TooManyFailures, FailuresUncounted) as refusal:
            self.refusal = refusal
            raise ValidationError(refusal.sentence) from None


class SignIn(LoginView):
    """Shows the form and takes it. `next` leads to pages of this host alone (LoginView)."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Begin a session under a new key; what the browser came with ends here."""
        self.request.session.flush()
        response = super().form_valid(form)
        # An absolute end, by the clock of Django's sessions.
        self.request.session.set_expiry(SESSION_LASTS)
        self.request.session.clear_expired()
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, with the status that a client would get."""
        refusal = form.refusal if isinstance(form, SignInForm) else None
        return with_status_of(refusal, super().form_invalid(form))


@require_POST
def answer_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """Take `answer` ("join" or "decline") to an invitation of the caller's own name."""
    principal = signed_in(request)
    if principal.user is None:
        return redirect_to_login("/")
    answer = request.POST.get("answer")
    with configuring():
        again(principal)
        invitation = members.invitations_of(principal.user).filter(pk=pk).first()
        match answer:
            case _ if invitation is None:
                messages.error(request, "This invitation is not there any more.")
            case "join":
                members.join(invitation, user=principal.user, by=principal.actor)
                messages.success(request, f"You are a member of {invitation.tenant} now.")
            case "decline":
                members.decline(invitation, by=principal.actor)
            case _:
                raise InvalidInput("Answer with join or decline.")
    return redirect("home")


class OwnPasswordForm(AdminPasswordChangeForm):
    """A new password for whoever knows the old one; guesses count as at the sign-in form."""

    refusal: TooManyFailures | FailuresUncounted | None = None

    def __init__(self, user: User, request: HttpRequest, **form: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(user, **form)
        self._address = request.META.get("REMOTE_ADDR", "")

    def clean_old_password(self) -> str:
        """Look at the old password as everywhere: limited by account and by address."""
        old: str = self.cleaned_data["old_password"]
        try:
            by_password(self.user.get_username(), old, address=self._address)
        except CredentialsRefused:
            raise ValidationError(self.error_messages["password_incorrect"]) from None
        except (TooManyFailures, FailuresUncounted) as refusal:
            self.refusal = refusal
            raise ValidationError(refusal.sentence) from None
        return old


def set_own_password(request: HttpRequest, form: OwnPasswordForm) -> None:
    """Set the new password of a valid form; this session goes on, all others of the user end."""
    by = signed_in(request).actor
    members.set_password(form.user, password=form.cleaned_data["new_password1"], by=by)
    update_session_auth_hash(request, form.user)


def with_status_of(
    refusal: TooManyFailures | FailuresUncounted | None, response: HttpResponse
) -> HttpResponse:
    """Give the page of a form the status that a client would get for the same refusal."""
    if isinstance(refusal, TooManyFailures):
        response.status_code = 429
        response.headers["Retry-After"] = str(refusal.retry_after)
    elif refusal is not None:
        response.status_code = 503
    return response
