from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "leadgen.operations"
    label = "operations"
