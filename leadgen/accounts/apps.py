from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "leadgen.accounts"
    label = "accounts"

    def ready(self) -> None:
        from leadgen.accounts import visibility  # models can be imported only now

        visibility.register_rules()
