from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "leadgen.accounts"
    label = "accounts"
