from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "leadgen.forms"
    label = "forms"

    def ready(self) -> None:
        from leadgen.forms import visibility  # models can be imported only now

        visibility.register_rules()
