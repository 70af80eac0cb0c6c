from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leadgen.leads"
    label = "leads"

    def ready(self) -> None:
        from leadgen.leads import visibility  # models can be imported only now

        visibility.register_rules()
