"""Addresses of log-in and password reset, under the names that django-allauth looks up."""

from django.urls import path, re_path

from leadgen.workspace.login import views

urlpatterns = [
    path("login", views.LoginView.as_view(), name="account_login"),
    path("login/reset", views.PasswordResetView.as_view(), name="account_reset_password"),
    path(
        "login/reset/sent",
        views.PasswordResetDoneView.as_view(),
        name="account_reset_password_done",
    ),
    re_path(
        r"^login/reset/(?P<uidb36>[0-9a-z]{1,13})-(?P<key>[0-9a-z-]{1,80})$",
        views.PasswordResetFromKeyView.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "login/reset/done",
        views.PasswordResetFromKeyDoneView.as_view(),
        name="account_reset_password_from_key_done",
    ),
]
