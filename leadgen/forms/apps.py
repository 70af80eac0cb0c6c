from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "leadgen.forms"
    label = "forms"
