from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leadgen.leads"
    label = "leads"
